/**
 * P3: publishes each thread's events in position order, the next after the ack of those before, threads beside each other.
 * One relay per workspace (a lease). It is handed local commits in memory, hears of other processes' by a nudge, and
 * `head > published` is read at start, after errors and every two seconds.
 *
 * Words go out at once; events nobody waits for (intents, turns, receipts) gather for 25 ms and go with
 * whatever comes next. Nothing is lost when NATS is: the cursor moves only after the ack.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { Bus, type BusError, type Publication } from "../bus/Bus.ts"
import { controlSubject, eventSubject } from "../bus/Subject.ts"
import { Leases } from "../lease/Leases.ts"
import { published } from "../store/hot/Deliver.ts"
import { Sql } from "../store/Sql.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Event, Kind } from "./Event.ts"
import { Roster } from "./Roster.ts"

/** An event with the bytes that are published. */
interface Line {
  readonly pos: number
  readonly subject: string
  readonly id: string
  readonly payload: string
}

interface Lane {
  /** The last position that was acknowledged; undefined until it was read. */
  done: number | undefined
  waiting: Array<Line>
  /** Somebody waits for what stands in it. */
  urgent: boolean
  busy: boolean
}

export class Relay extends Context.Service<
  Relay,
  {
    /** Hands over events that have just been committed here. Never blocks. */
    readonly offer: (events: ReadonlyArray<Event>) => void
    /** Publishes what other processes wrote, and what was missed. */
    readonly catchUp: Effect.Effect<void, StoreError>
    /** P3: publishes a message again, under another id, because nobody decided it. */
    readonly repair: (
      told: ReadonlyArray<{ readonly event: Event; readonly n: number }>,
    ) => Effect.Effect<void, BusError>
  }
>()("troupe/room/Relay") {
  static readonly layer = Layer.effect(
    Relay,
    Effect.gen(function* () {
      const bus = yield* Bus
      const sql = yield* Sql
      const leases = yield* Leases
      const { ws } = yield* Roster
      const cursor = published(sql)
      const lease = `relay:${ws}`
      const lanes = new Map<string, Lane>()
      const services = yield* Effect.context<never>()
      const run = Effect.runForkWith(services)

      // The cursor is written behind the path, once for all that was published meanwhile: what it does not know yet is
      // published again by the next owner, under the same ids.
      let unwritten = new Map<string, number>()
      const writeCursor = Effect.suspend(() => {
        const rows = [...unwritten].map(([thread, pos]) => ({ thread, pos }))
        unwritten = new Map()
        return Effect.ignore(Effect.all(cursor.all(rows), { discard: true }))
      })
      const moved = (thread: string, pos: number) => {
        if (unwritten.size === 0) run(Effect.delay(writeCursor, "100 millis"))
        unwritten.set(thread, pos)
      }
      yield* Effect.addFinalizer(() => writeCursor)

      const laneOf = (thread: string): Lane => {
        let lane = lanes.get(thread)
        if (lane === undefined) {
          if (lanes.size >= mostLanes) forgetIdle(lanes)
          lanes.set(thread, (lane = { done: undefined, waiting: [], urgent: false, busy: false }))
        }
        return lane
      }

      /** Publishes what waits in order; where a position is missing, the log has it. */
      const drain = (thread: string, lane: Lane) =>
        Effect.gen(function* () {
          while (lane.waiting.length > 0 && leases.holds(lease)) {
            const first = lane.waiting[0]!.pos
            if (lane.done === undefined && first > 1) {
              const [row] = yield* sql.cold<{ published: number }>(
                "select published from thread where id = $1",
                [thread],
              )
              lane.done = row?.published ?? 0
            }
            const done = lane.done ?? 0
            lane.waiting = lane.waiting.filter((l) => l.pos > done)
            if (lane.waiting.length === 0) return
            if (lane.waiting[0]!.pos !== done + 1) {
              const known = new Set(lane.waiting.map((l) => l.pos))
              const missing = yield* sql.cold<{ event: Event }>(missingText, [thread, done])
              lane.waiting.push(...missing.map((m) => toLine(ws, m.event)).filter((l) => !known.has(l.pos)))
              lane.waiting.sort((a, b) => a.pos - b.pos)
            }
            const batch = runAfter(lane.waiting, done)
            if (batch.length === 0) return
            if (batch.length === lane.waiting.length) lane.urgent = false
            yield* bus.publish(batch).pipe(
              Effect.tapError((e) => Effect.logDebug(`relay: ${e.message}`)),
              Effect.retry({
                schedule: Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("2 seconds")]),
                while: () => leases.holds(lease),
              }),
            )
            lane.done = batch[batch.length - 1]!.pos
            lane.waiting = lane.waiting.filter((l) => l.pos > lane.done!)
            moved(thread, lane.done)
            // What came meanwhile and nobody waits for gathers again.
            if (!lane.urgent && batch.length < mostAtOnce) return
          }
        }).pipe(
          // What goes wrong here goes wrong again at once: the sweep finds the thread, or the next event.
          Effect.catchCause((cause) =>
            Effect.logWarning(`the relay of ${thread} waits`, cause).pipe(
              Effect.andThen(Effect.sleep("1 second")),
              Effect.andThen(Effect.sync(() => (lane.urgent = true))),
            ),
          ),
          Effect.ensuring(Effect.sync(() => (lane.busy = false))),
        )

      const start = (thread: string) => {
        const lane = lanes.get(thread)
        if (lane === undefined || lane.busy || lane.waiting.length === 0 || !leases.holds(lease)) return
        lane.busy = true
        later.delete(thread)
        run(
          drain(thread, lane).pipe(
            Effect.andThen(
              Effect.sync(() => {
                if (lane.urgent) start(thread)
                else if (lane.waiting.length > 0) postpone(thread)
              }),
            ),
          ),
        )
      }

      // Events nobody waits for: one timer for all threads, armed only while there are some.
      const later = new Set<string>()
      let armed = false
      const flush = Effect.sync(() => {
        armed = false
        const threads = [...later]
        later.clear()
        threads.forEach(start)
      })

      const postpone = (thread: string) => {
        later.add(thread)
        if (armed) return
        armed = true
        run(Effect.andThen(Effect.sleep(gatherFor), flush))
      }

      const offer = (events: ReadonlyArray<Event>): void => {
        if (events.length === 0) return
        if (!leases.holds(lease)) {
          bus.tell(
            controlSubject(ws, "relay"),
            JSON.stringify({ threads: [...new Set(events.map((e) => e.thread))] }),
          )
          return
        }
        for (const event of events) {
          const lane = laneOf(event.thread)
          lane.waiting.push(toLine(ws, event))
          if (event.kind === "message") lane.urgent = true
        }
        for (const { thread } of events) {
          if (lanes.get(thread)?.urgent === true) start(thread)
          else postpone(thread)
        }
      }

      const catchUp = Effect.gen(function* () {
        if (!leases.holds(lease)) return
        const behind = yield* sql.hot<{ id: string; published: number; head: number }>(behindText, [ws])
        for (const { id, published: done, head } of behind) {
          const lane = laneOf(id)
          if (lane.busy || (lane.done ?? -1) >= head) continue
          if (lane.done !== undefined && lane.waiting.some((l) => l.pos >= head)) {
            start(id)
            continue
          }
          lane.done = Math.max(lane.done ?? 0, done)
          const missing = yield* sql.cold<{ event: Event }>(missingText, [id, lane.done])
          const known = new Set(lane.waiting.map((l) => l.pos))
          lane.waiting.push(...missing.map((m) => toLine(ws, m.event)).filter((l) => !known.has(l.pos)))
          lane.waiting.sort((a, b) => a.pos - b.pos)
          start(id)
        }
      })

      yield* bus.listen(controlSubject(ws, "relay"), () => {
        if (leases.holds(lease)) run(Effect.ignore(catchUp))
      })
      yield* leases.hold(lease, () => {
        lanes.clear()
        return catchUp.pipe(
          Effect.catch((e) => Effect.logWarning(`relay: ${e.message}`)),
          Effect.repeat(Schedule.spaced("2 seconds")),
        )
      })

      return Relay.of({
        offer,
        catchUp,
        repair: (told) =>
          bus.publish(
            told.map(({ event, n }) => ({
              ...toLine(ws, { ...event, repair: n } as Event),
              id: `${event.id}#${n}`,
            })),
          ),
      })
    }),
  )
}

/** Threads kept in memory; an idle one is forgotten first and read again when it speaks. */
const mostLanes = 10_000
const forgetIdle = (lanes: Map<string, Lane>) => {
  for (const [thread, lane] of lanes) {
    if (!lane.busy && lane.waiting.length === 0) lanes.delete(thread)
    if (lanes.size < mostLanes) return
  }
}

/** Events in one publication. */
const mostAtOnce = 100
/** How long events wait for which nobody waits: each publication wakes the server and, with its answer, us. */
const gatherFor = "25 millis"

/** The unbroken run after `done`. */
const runAfter = (waiting: ReadonlyArray<Line>, done: number): ReadonlyArray<Line & Publication> => {
  const batch: Array<Line> = []
  let next = done + 1
  for (const line of waiting) {
    if (line.pos !== next) break
    batch.push(line)
    next++
    if (batch.length === mostAtOnce) break
  }
  return batch
}

/** Text over 64 KiB travels cut; who needs it all reads the log. */
const longest = 64 * 1024

const toLine = (ws: Roster["Service"]["ws"], event: Event): Line => ({
  pos: event.pos,
  subject: eventSubject(ws, event.door, event.thread, event.kind as Kind),
  id: event.id,
  payload: JSON.stringify(
    event.kind === "message" && event.text.length > longest
      ? { ...event, text: event.text.slice(0, longest).toWellFormed(), truncated: true }
      : event,
  ),
})

const behindText = `select id, published, head from thread where ws = $1 and head > published order by last_at limit 1000`

/** Stored events as they are published. Shared with readers of the log. */
export const eventJson = `e.body || jsonb_build_object('id', e.id, 'kind', e.kind, 'door', t.door, 'thread', e.thread, 'pos', e.pos,
  'prev', e.prev, 'at', to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`

const missingText = `
select ${eventJson} as event from event e join thread t on t.id = e.thread
where e.thread = $1 and e.pos > $2 order by e.pos limit 500`
