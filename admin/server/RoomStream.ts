/**
 * `GET /api/rooms/:id/stream?after=<pos>`: the room as server-sent events. An event's id is its position, so that
 * `Last-Event-ID` continues where the connection broke.
 *
 * No gap and no duplicate: the stream goes by one cursor. What is live is only written when it is the position after
 * the cursor; anything else, and every heartbeat, makes it read the log from the cursor. Deltas are written as
 * `event: delta` and never stored; a slow reader loses old ones first.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { Event, Kind, ThreadId } from "../../runtime/index.ts"
import { Caller, type Delta, pageSize } from "../api/index.ts"
import type { LiveRooms } from "./LiveRooms.ts"
import type { Accounts } from "./Accounts.ts"

type Signal =
  | { readonly kind: "event"; readonly event: Event }
  | { readonly kind: "delta"; readonly delta: Delta }
  | { readonly kind: "beat" }

const beatEvery = Duration.seconds(15)
const waiting = 4096

const frame = (event: string, data: unknown, id?: number): string =>
  `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

/** `lasts`, asked at every heartbeat, is false when the caller's session is over. */
type Lasting = (lasts: Effect.Effect<boolean>) => Stream.Stream<string>

/** The answer to a request for a stream: for as long as the caller's session lasts. */
export const streamed = Effect.fnUntraced(function* (accounts: Accounts["Service"], stream: Lasting) {
  const caller = yield* Caller
  const lasts =
    caller.kind === "cookie"
      ? Effect.map(accounts.session(caller.session), (known) => known !== null).pipe(
          // A database that is away for a moment ends nobody's session.
          Effect.catch(() => Effect.succeed(true)),
        )
      : Effect.succeed(true)
  return HttpServerResponse.stream(Stream.encodeText(stream(lasts)), {
    contentType: "text/event-stream; charset=utf-8",
    headers: { "x-accel-buffering": "no" },
  })
})

export const roomStream = (
  rooms: LiveRooms["Service"],
  room: ThreadId,
  after: number,
  lasts: Effect.Effect<boolean>,
): Stream.Stream<string> =>
  Stream.callback<string>(
    Effect.fnUntraced(
      function* (out) {
        const signals = yield* Queue.sliding<Signal>(waiting)
        yield* rooms.listen(room, {
          event: (event) => Queue.offerUnsafe(signals, { kind: "event", event }),
          delta: (delta) => Queue.offerUnsafe(signals, { kind: "delta", delta }),
        })
        yield* Effect.forkScoped(
          Effect.repeat(Queue.offer(signals, { kind: "beat" } as const), Schedule.spaced(beatEvery)),
        )
        let cursor = after
        const write = (event: Event) => {
          cursor = event.pos
          return Queue.offer(out, frame("event", event, event.pos))
        }
        const catchUp = Effect.gen(function* () {
          for (;;) {
            const page = yield* rooms.events(room, cursor, pageSize)
            for (const event of page) if (event.pos > cursor) yield* write(event)
            if (page.length < pageSize) return
          }
        })
        yield* catchUp
        yield* Queue.offer(out, frame("ready", { pos: cursor }))
        for (;;) {
          const signal = yield* Queue.take(signals)
          if (signal.kind === "delta") yield* Queue.offer(out, frame("delta", signal.delta))
          else if (signal.kind === "beat") {
            if (!(yield* lasts)) return yield* Queue.end(out)
            yield* catchUp
            yield* Queue.offer(out, frame("beat", { pos: cursor }))
          } else if (signal.event.pos === cursor + 1 && !isCut(signal.event)) yield* write(signal.event)
          else if (signal.event.pos > cursor) yield* catchUp
        }
      },
      // The store or the bus is away: the page comes back with its cursor.
      (body, out) => Effect.catch(body, () => Queue.end(out)),
    ),
    { bufferSize: 64, strategy: "suspend" },
  )

/** What happened anywhere is gathered for so long. */
const gatherFor = Duration.millis(150)

/**
 * One connection for a page: `changed` names the rooms and the kinds of things that happened, and with a room, all of its
 * stream. A browser has few connections for one host, and each open page keeps one of them.
 */
export const liveStream =
  (rooms: LiveRooms["Service"], here: { readonly room: ThreadId; readonly after: number } | null): Lasting =>
  (lasts) =>
    here === null
      ? Stream.merge(changes(rooms), beats(lasts), { haltStrategy: "either" })
      : Stream.merge(roomStream(rooms, here.room, here.after, lasts), changes(rooms), {
          haltStrategy: "either",
        })

const changes = (rooms: LiveRooms["Service"]): Stream.Stream<string> =>
  Stream.callback<string>(
    Effect.fnUntraced(
      function* (out) {
        let changed = new Map<ThreadId, Set<Kind>>()
        const woken = yield* Queue.sliding<void>(1)
        yield* rooms.listenAll((room, kind) => {
          const kinds = changed.get(room)
          if (kinds === undefined) changed.set(room, new Set([kind]))
          else kinds.add(kind)
          Queue.offerUnsafe(woken, undefined)
        })
        for (;;) {
          yield* Queue.take(woken)
          yield* Effect.sleep(gatherFor)
          const gathered = changed
          changed = new Map()
          if (gathered.size > 0) {
            const data = [...gathered].map(([room, kinds]) => ({ room, kinds: [...kinds] }))
            yield* Queue.offer(out, frame("changed", { rooms: data }))
          }
        }
      },
      (body, out) => Effect.catch(body, () => Queue.end(out)),
    ),
    { bufferSize: 16, strategy: "suspend" },
  )

const beats = (lasts: Effect.Effect<boolean>): Stream.Stream<string> =>
  Stream.concat(
    Stream.succeed(frame("ready", { pos: 0 })),
    Stream.fromSchedule(Schedule.spaced(beatEvery)).pipe(
      Stream.takeWhileEffect(() => lasts),
      Stream.map(() => frame("beat", { pos: 0 })),
    ),
  )

/** Long words travel cut; the log has them whole. */
const isCut = (event: Event) => event.kind === "message" && event.truncated === true
