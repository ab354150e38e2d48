/** `/api/...`: rooms, words, agents, status. Small on purpose; a schema-first API replaces it. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { EventId, type Inbound, mentionsIn, ThreadId, TurnId } from "../../runtime/index.ts"
import * as Body from "./Body.ts"
import { linkTo } from "./EnterRoute.ts"
import { Sessions } from "./Sessions.ts"
import { ApiError, noRoom } from "./WebError.ts"
import { WebDoor } from "./WebDoor.ts"
import { type RoomSummary, WebRooms } from "./WebPorts.ts"

const OpenRoom = Schema.Struct({ title: Schema.Trim.check(Schema.isBetweenLength(1, 120)) })

/** `id` is the client's own, so that sending again says it once. */
const Say = Schema.Struct({
  id: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/)),
  text: Schema.String.check(Schema.isBetweenLength(1, 32_768)),
  replyTo: Schema.optionalKey(EventId),
})

const Page = Schema.Struct({ after: Schema.optionalKey(Schema.FiniteFromString.check(Schema.isInt())) })
const pageSize = 500

/** The one person behind the page's link; another door's people are not this person. */
export const owner = { id: "owner", name: "Owner" }

export const roomOf = Effect.gen(function* () {
  const rooms = yield* WebRooms
  const { id } = yield* HttpRouter.params
  const room = Schema.is(ThreadId)(id) ? yield* rooms.find(id) : null
  return room === null ? yield* noRoom : room
})

/** `?after=<pos>`; absent: from the beginning. */
export const afterOf = HttpServerRequest.schemaSearchParams(Page).pipe(
  Effect.map(({ after = 0 }) => Math.max(0, after)),
  Effect.mapError(
    () => new ApiError({ status: 400, message: "`after` must be a position, a whole number." }),
  ),
)

/** What the words become: NUL and lone surrogates have no place in Postgres. */
const clean = (text: string): string => text.replaceAll("\u0000", "").toWellFormed()

const inbound = (
  rooms: WebRooms["Service"],
  room: RoomSummary,
  say: typeof Say.Type,
  members: Parameters<typeof mentionsIn>[1],
): Inbound => {
  const text = clean(say.text)
  return {
    door: rooms.door,
    externalId: `${room.id}:${say.id}`,
    raw: say,
    message: {
      channel: room.id,
      title: room.title,
      sourceKey: `web:${say.id}`,
      author: { door: rooms.door, id: owner.id, name: owner.name, kind: "person" },
      text,
      attachments: [],
      mentions: mentionsIn(text, members),
      direct: true,
      ...(say.replyTo === undefined ? {} : { replyTo: { event: say.replyTo } }),
    },
  }
}

const ok = HttpServerResponse.jsonUnsafe

export const layer = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const rooms = yield* WebRooms
    const sessions = yield* Sessions
    const { apply } = yield* WebDoor
    const link = yield* linkTo
    const room = Effect.provideService(roomOf, WebRooms, rooms)

    yield* router.add(
      "GET",
      "/api/rooms",
      Effect.map(rooms.list, (list) => ok({ rooms: list })),
    )
    yield* router.add("POST", "/api/rooms", (request) =>
      Effect.gen(function* () {
        const { title } = yield* Body.json(request, OpenRoom)
        return ok(yield* rooms.open(clean(title)), { status: 201 })
      }),
    )
    yield* router.add(
      "GET",
      "/api/rooms/:id/events",
      Effect.gen(function* () {
        const events = yield* rooms.events((yield* room).id, yield* afterOf, pageSize)
        return ok({ events, more: events.length === pageSize })
      }),
    )
    yield* router.add("POST", "/api/rooms/:id/say", (request) =>
      Effect.gen(function* () {
        const here = yield* room
        if (!here.speakable) {
          const message = `This room lives in ${here.doorName}; speak there, and it appears here.`
          return yield* new ApiError({ status: 409, message })
        }
        const say = yield* Body.json(request, Say)
        if (clean(say.text).trim() === "") {
          return yield* new ApiError({ status: 400, message: "Say something: the text is empty." })
        }
        const { event, pos, duplicate } = yield* rooms.accept(inbound(rooms, here, say, yield* rooms.members))
        return ok({ event, pos, duplicate })
      }),
    )
    yield* router.add(
      "GET",
      "/api/rooms/:id/why",
      Effect.gen(function* () {
        const { id } = yield* room
        const { message } = yield* HttpServerRequest.schemaSearchParams(
          Schema.Struct({ message: EventId }),
        ).pipe(
          Effect.mapError(
            () => new ApiError({ status: 400, message: "`message` must be the id of a message." }),
          ),
        )
        return ok({ why: yield* rooms.why(id, message) })
      }),
    )
    yield* router.add(
      "POST",
      "/api/turns/:turn/stop",
      Effect.gen(function* () {
        const { turn } = yield* HttpRouter.params
        if (!Schema.is(TurnId)(turn))
          return yield* new ApiError({ status: 404, message: "There is no such turn." })
        return ok({ stopped: yield* rooms.stop(turn) })
      }),
    )
    yield* router.add(
      "GET",
      "/api/agents",
      Effect.map(rooms.members, (agents) => ok({ agents })),
    )
    yield* router.add(
      "GET",
      "/api/status",
      Effect.map(rooms.status, (status) => ok(status)),
    )
    yield* router.add(
      "POST",
      "/api/apply",
      apply.pipe(
        Effect.map((applied) => ok(applied)),
        Effect.catchTag("ConfigError", ({ message, problems }) =>
          Effect.succeed(ok({ error: message, problems }, { status: 422 })),
        ),
      ),
    )
    yield* router.add(
      "POST",
      "/api/link",
      Effect.map(Effect.flatMap(sessions.issueLink, link), (url) => ok({ url })),
    )
  }),
)
