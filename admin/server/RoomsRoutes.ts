/** The handlers of `RoomsApi`. */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Schema from "effect/Schema"
import { clean, spoken } from "../../integrations/web/index.ts"
import { type Blob, BlobId, ThreadId, TurnId } from "../../runtime/index.ts"
import { Api, BadRequest, Caller, Conflict, Forbidden, noRoom, NotFound, pageSize } from "../api/index.ts"
import { LiveRooms } from "./LiveRooms.ts"
import { liveStream, roomStream, streamed } from "./RoomStream.ts"
import { Accounts } from "./Accounts.ts"

/** The room of a path, or 404. */
const roomNamed = (rooms: LiveRooms["Service"], id: string) =>
  Effect.filterOrFail(
    Schema.is(ThreadId)(id) ? rooms.find(id) : Effect.succeed(null),
    (room) => room !== null,
    () => noRoom,
  )

/** Where a broken connection continues. */
const positionOf = (id: string | undefined): number | undefined => {
  const seen = Number(id ?? Number.NaN)
  return Number.isSafeInteger(seen) && seen >= 0 ? seen : undefined
}

/** Pictures that a browser cannot run anything in; all else is only saved. */
const shown = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"])

const download = ({ name, mime, bytes }: Blob) =>
  HttpServerResponse.uint8Array(bytes, {
    contentType: shown.has(mime) ? mime : "application/octet-stream",
    headers: {
      "content-disposition": `${shown.has(mime) ? "inline" : "attachment"}; filename*=UTF-8''${encodeURIComponent(name.toWellFormed())}`,
      "content-security-policy": "sandbox; default-src 'none'",
    },
  })

export const layer = HttpApiBuilder.group(
  Api,
  "rooms",
  Effect.fnUntraced(function* (handlers) {
    const rooms = yield* LiveRooms
    const accounts = yield* Accounts
    const room = (params: { readonly id: string }) => roomNamed(rooms, params.id)
    return handlers.handleAll({
      list: () => Effect.map(rooms.list, (list) => ({ rooms: list })),
      open: ({ payload }) => rooms.open(clean(payload.title)),
      get: ({ params }) => room(params),
      events: Effect.fnUntraced(function* ({ params, query }) {
        const { id } = yield* room(params)
        const { before, after = 0 } = query
        const events =
          before === undefined
            ? yield* rooms.events(id, after, pageSize)
            : yield* rooms.eventsBefore(id, before, pageSize)
        const more = before === undefined ? events.length === pageSize : (events[0]?.pos ?? 1) > 1
        // As they stand in the log: encoding hundreds of events again says nothing new.
        return HttpServerResponse.jsonUnsafe({ events, more })
      }),
      stream: Effect.fnUntraced(function* ({ params, query, headers }) {
        const { id } = yield* room(params)
        const after = positionOf(headers["last-event-id"]) ?? query.after ?? 0
        return yield* streamed(accounts, (lasts) => roomStream(rooms, id, after, lasts))
      }),
      live: Effect.fnUntraced(function* ({ query, headers }) {
        const here = query.room === undefined ? null : yield* roomNamed(rooms, query.room)
        const after = positionOf(headers["last-event-id"]) ?? query.after ?? 0
        return yield* streamed(accounts, liveStream(rooms, here === null ? null : { room: here.id, after }))
      }),
      call: Effect.fnUntraced(function* ({ params }) {
        const detail = Schema.is(TurnId)(params.turn) ? yield* rooms.call(params.turn, params.call) : null
        return detail ?? (yield* new NotFound({ error: "Nothing is kept of this call." }))
      }),
      blob: Effect.fnUntraced(function* ({ params }) {
        const blob = Schema.is(BlobId)(params.id) ? yield* rooms.blob(params.id) : undefined
        if (blob === undefined) return yield* new NotFound({ error: "There is no such file." })
        return download(blob)
      }),
      say: Effect.fnUntraced(function* ({ params, payload }) {
        const here = yield* room(params)
        if (!here.speakable && payload.order === undefined) {
          return yield* new Conflict({
            error: `This room lives in ${here.doorName}; speak there, and it appears here.`,
          })
        }
        if (clean(payload.text).trim() === "") {
          return yield* new BadRequest({ error: "Say something: the text is empty." })
        }
        const caller = yield* Caller
        if (caller.kind === "none") return yield* new Forbidden({ error: "Nobody knows who you are." })
        const { user, name } = caller.person
        const words = spoken(
          { web: rooms.door, door: here.door, room: here.id, channel: here.channel, title: here.title },
          { id: user, name },
          payload,
          yield* rooms.members,
        )
        const { event, pos, duplicate, outcome } = yield* rooms.accept(words)
        return { event, pos, duplicate, outcome: outcome ?? null }
      }),
      why: Effect.fnUntraced(function* ({ params, query }) {
        const { id } = yield* room(params)
        return { why: yield* rooms.why(id, query.message) }
      }),
      stop: Effect.fnUntraced(function* ({ params: { turn } }) {
        if (!Schema.is(TurnId)(turn)) return yield* new NotFound({ error: "There is no such turn." })
        return { stopped: yield* rooms.stop(turn) }
      }),
    })
  }),
)
