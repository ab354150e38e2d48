/** The handlers of `RoomsApi`. */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Schema from "effect/Schema"
import { clean, owner, spoken } from "../../integrations/web/index.ts"
import { ThreadId, TurnId } from "../../runtime/index.ts"
import { Api, BadRequest, Conflict, noRoom, NotFound, pageSize } from "../api/index.ts"
import { LiveRooms } from "./LiveRooms.ts"
import { streamed } from "./RoomStream.ts"
import { Sessions } from "./Sessions.ts"

/** The room of a path, or 404. */
const roomNamed = (rooms: LiveRooms["Service"], id: string) =>
  Effect.filterOrFail(
    Schema.is(ThreadId)(id) ? rooms.find(id) : Effect.succeed(null),
    (room) => room !== null,
    () => noRoom,
  )

export const layer = HttpApiBuilder.group(
  Api,
  "rooms",
  Effect.fnUntraced(function* (handlers) {
    const rooms = yield* LiveRooms
    const sessions = yield* Sessions
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
        const seen = Number(headers["last-event-id"] ?? Number.NaN)
        return yield* streamed(
          rooms,
          sessions,
          id,
          Number.isSafeInteger(seen) && seen >= 0 ? seen : (query.after ?? 0),
        )
      }),
      say: Effect.fnUntraced(function* ({ params, payload }) {
        const here = yield* room(params)
        if (!here.speakable) {
          return yield* new Conflict({
            error: `This room lives in ${here.doorName}; speak there, and it appears here.`,
          })
        }
        if (clean(payload.text).trim() === "") {
          return yield* new BadRequest({ error: "Say something: the text is empty." })
        }
        const words = spoken(
          { door: rooms.door, room: here.id, title: here.title },
          owner,
          payload,
          yield* rooms.members,
        )
        const { event, pos, duplicate } = yield* rooms.accept(words)
        return { event, pos, duplicate }
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
