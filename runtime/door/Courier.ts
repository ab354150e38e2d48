/**
 * P8: brings the outbox to the platforms. One courier a process; it serves the doors whose lease this process holds. Each
 * channel is served one call at a time, what must be said before what may be skipped: first words that are final, then
 * placeholders, then progress. Retrying has one owner: here. A flood limit is a delay for the channel or the whole account,
 * never a failure; a row stays open until it was said or can never be.
 *
 * A message is a placeholder whose id is committed (S3) before anything is edited into it; from then on every call may be
 * repeated. Progress is the live text of a running turn; it may be dropped at any time.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Bus } from "../bus/Bus.ts"
import { controlSubject, liveOf } from "../bus/Subject.ts"
import { Leases } from "../lease/Leases.ts"
import { LiveDelta } from "../room/Event.ts"
import type { DoorId } from "../room/Id.ts"
import { Journal } from "../room/Journal.ts"
import { Roster } from "../room/Roster.ts"
import { Sql } from "../store/Sql.ts"
import type { StoreError } from "../store/StoreError.ts"
import { Channel } from "./Channel.ts"
import { Flood } from "./Flood.ts"
import type { Outward } from "./Outward.ts"
import type { Parcel } from "./Parcel.ts"

export class Courier extends Context.Service<
  Courier,
  {
    /** Serves a door as long as the scope is open: open rows first, then whatever comes. */
    readonly serve: (outward: Outward) => Effect.Effect<void, StoreError, Scope.Scope>
    /** A row was just committed here: a new placeholder, or final words. Never blocks. */
    readonly send: (parcel: Parcel) => void
  }
>()("troupe/door/Courier") {
  static readonly layer = Layer.effect(
    Courier,
    Effect.gen(function* () {
      const journal = yield* Journal
      const leases = yield* Leases
      const bus = yield* Bus
      const sql = yield* Sql
      const { ws } = yield* Roster
      const clock = yield* Clock.Clock
      const doors = new Map<DoorId, Served>()
      const services = yield* Effect.context<never>()
      const run = Effect.runForkWith(services)

      const channelOf = (door: DoorId, name: string): Channel | undefined => {
        const served = doors.get(door)
        if (served === undefined) return undefined
        const known = served.channels.get(name)
        if (known !== undefined) return known
        const channel = new Channel({
          outward: served.outward,
          journal,
          fence: () => leases.fence(`door:${door}`) ?? -1,
          mine: () => leases.holds(`door:${door}`),
          flood: served.flood,
          now: () => clock.currentTimeMillisUnsafe(),
          run,
          // An old one may still wake: another may have its name by then.
          idle: () => {
            if (served.channels.get(name) === channel) served.channels.delete(name)
          },
          ended: (turn, part) => {
            served.ended.add(`${turn}/${part}`)
            if (part === 0) turns.delete(turn)
          },
          settled: (turn, part) =>
            run(
              sql
                .cold("update outbox set actions = null where turn = $1 and part = $2", [turn, part])
                .pipe(Effect.catch((e) => Effect.logWarning(`buttons: ${e.message}`))),
            ),
        })
        served.channels.set(name, channel)
        return channel
      }

      /** Where the live words of a running turn go. */
      const turns = new Map<string, { readonly channel: Channel; fence: number }>()
      const take = (parcel: Parcel) => {
        const key = `${parcel.turn}/${parcel.part}`
        const served = doors.get(parcel.door)
        // What was read or sent before it ended comes too late: it would be said a second time.
        if (served === undefined || served.ended.has(key) || served.endedBefore.has(key)) return
        const channel = channelOf(parcel.door, parcel.channel)
        if (channel === undefined) return
        if (parcel.part === 0 && parcel.text === null && turns.get(parcel.turn)?.channel !== channel)
          turns.set(parcel.turn, { channel, fence: 0 })
        channel.take(parcel)
      }

      const openRows = (door: DoorId) =>
        Effect.map(sql.hot<Parcel & object>(openText, [door]), (rows) => rows.forEach(take))

      /** Questions of turns that do not wait for the answer any more, whoever gave it and wherever. */
      const answered = (door: DoorId, turn: string | null) =>
        Effect.map(sql.cold<Parcel & { text: string }>(answeredText, [door, turn]), (rows) =>
          rows.forEach((row) => channelOf(door, row.channel)?.settle(row, row.text)),
        )
      const settle = (payload: string) => {
        const { turn } = JSON.parse(payload) as { readonly turn: string }
        for (const [door, { outward }] of doors)
          if (outward.buttons === true) run(Effect.ignore(answered(door, turn)))
      }
      for (const verb of ["resume", "stop"] as const)
        yield* bus.listen(controlSubject(ws, verb), (_, payload) => settle(payload))

      const live = (payload: string) => {
        const delta = decodeDelta(payload)
        const known = Option.isSome(delta) ? turns.get(delta.value.turn) : undefined
        if (Option.isNone(delta) || known === undefined) return
        const { turn, fence, n, text } = delta.value
        // A process that lost the turn may still talk.
        if (fence < known.fence) return
        const anew = n === 0 || fence > known.fence
        known.fence = fence
        known.channel.progress(turn, text, anew)
      }
      yield* bus.listen(liveOf(ws, "*"), (_, payload) => live(payload))
      // Rows that another process wrote for a door we serve.
      yield* bus.listen(controlSubject(ws, "outbox"), (_, payload) => {
        const door = payload as DoorId
        if (doors.has(door))
          run(openRows(door).pipe(Effect.catch((e) => Effect.logWarning(`outbox: ${e.message}`))))
      })

      return Courier.of({
        serve: (outward) =>
          Effect.acquireRelease(
            Effect.sync(() => {
              const served = {
                outward,
                channels: new Map(),
                flood: new Flood(),
                ended: new Set<string>(),
                endedBefore: new Set<string>(),
              }
              doors.set(outward.door, served)
              return served
            }),
            (served) =>
              Effect.sync(() => {
                doors.delete(outward.door)
                for (const channel of served.channels.values()) channel.close()
              }),
          ).pipe(
            Effect.tap(() => openRows(outward.door)),
            // A nudge may be lost: what is open and not known here is found in a while. What is known is not taken twice.
            Effect.flatMap((served) =>
              Effect.sync(() => {
                served.endedBefore = served.ended
                served.ended = new Set()
              }).pipe(
                Effect.andThen(Effect.ignore(openRows(outward.door))),
                Effect.andThen(
                  outward.buttons === true ? Effect.ignore(answered(outward.door, null)) : Effect.void,
                ),
                Effect.delay("10 seconds"),
                Effect.forever,
                Effect.forkScoped,
              ),
            ),
            Effect.asVoid,
          ),
        send: (parcel) => {
          if (doors.has(parcel.door)) take(parcel)
          else bus.tell(controlSubject(ws, "outbox"), parcel.door)
        },
      })
    }),
  )
}

/** A door whose lease this process holds. */
interface Served {
  readonly outward: Outward
  readonly channels: Map<string, Channel>
  readonly flood: Flood
  /** Rows that ended here since the last sweep, and in the interval before it. */
  ended: Set<string>
  endedBefore: Set<string>
}

const decodeDelta = Schema.decodeUnknownOption(Schema.fromJsonString(LiveDelta))

const openText = `
select turn, part, door, thread, agent, channel, reply_to as "replyTo", signature, platform_id as "platformId", text, actions, file
from outbox where door = $1 and state in ('creating', 'created') order by at, turn, part`

/** A turn asks one thing at a time: what it asked before is answered. The words then also say what was answered. */
const answeredText = `
select o.turn, o.part, o.door, o.thread, o.agent, o.channel, o.reply_to as "replyTo", o.signature, o.platform_id as "platformId",
  concat_ws(E'\n\n', o.text, (
    select string_agg(distinct case a.answer when 'yes' then 'Approved' when 'no' then 'Refused' else 'Not answered within 24 hours' end
      || coalesce(' by ' || (select e.body->'author'->>'name' from event e where e.thread = o.thread and e.kind = 'message'
           and e.body->>'principal' = a.answered_by order by e.pos desc limit 1), ''), ', ') || '.'
    from approval a join step s on s.turn = a.turn and s.call = a.call
    where a.turn = o.turn and a.answer is not null and s.n >= o.part - 1000
      and s.n < coalesce((select min(p.part) - 1000 from outbox p where p.turn = o.turn and p.part > o.part), 2147483647))) as text
from outbox o join turn t on t.id = o.turn
where o.door = $1 and o.actions is not null and o.state = 'done' and ($2::text is null or o.turn = $2)
  and (t.state <> 'waiting' or t.stop or exists (select from outbox p where p.turn = o.turn and p.part > o.part and p.actions is not null))`
