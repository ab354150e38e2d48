/**
 * Reading rooms: the list, the log by cursor, following it live, and why an agent spoke or was silent. Nothing here
 * starts work: agents act only on what the bus delivered.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { Bus, type BusError } from "../bus/Bus.ts"
import { everythingIn } from "../bus/Subject.ts"
import { lane } from "../store/Lane.ts"
import { Sql } from "../store/Sql.ts"
import type { StoreError } from "../store/StoreError.ts"
import { isInside, rank, triage } from "./Address.ts"
import type { Event, MessageEvent } from "./Event.ts"
import { newId, type AgentId, type DoorId, type EventId, type ThreadId } from "./Id.ts"
import { orderSlot } from "./Order.ts"
import { eventJson } from "./Relay.ts"
import { Roster } from "./Roster.ts"

export interface Room {
  readonly id: ThreadId
  readonly door: DoorId
  readonly channel: string
  readonly title: string
  readonly head: number
  readonly lastAt: string
}

/** Why `agent` did what it did with `message`. Total: every silence has a reason. */
export interface Why {
  readonly verdict: "lead" | "queued" | "joined" | "pass" | "parked" | "due"
  readonly agent: AgentId
  readonly reason: string
  readonly evidence: unknown
  readonly turn: string | null
}

/** A turn that runs or rests. */
export interface UnderWay {
  readonly agent: AgentId
  readonly state: "running" | "waiting"
  readonly asker: string
  /** The beginning of the words it answers. */
  readonly words: string
  /** Its latest tool calls, newest first. */
  readonly did: ReadonlyArray<string>
}

export class Rooms extends Context.Service<
  Rooms,
  {
    readonly list: Effect.Effect<ReadonlyArray<Room>, StoreError>
    readonly get: (thread: ThreadId) => Effect.Effect<Room | undefined, StoreError>
    /** Opens an empty room behind a door that has no rooms of its own; under a given id, once. */
    readonly open: (door: DoorId, title: string, id?: ThreadId) => Effect.Effect<Room, StoreError>
    /** A platform gave a room another address: its room and its unsent words belong there now. Idempotent. */
    readonly moved: (door: DoorId, from: string, to: string) => Effect.Effect<void, StoreError>
    /** What other agents do in this room now, oldest first. */
    readonly under: (thread: ThreadId, but: AgentId) => Effect.Effect<ReadonlyArray<UnderWay>, StoreError>
    /** Agents with a running turn. */
    readonly working: Effect.Effect<ReadonlySet<AgentId>, StoreError>
    /** Events after a position, in order. */
    readonly events: (
      thread: ThreadId,
      after: number,
      limit: number,
    ) => Effect.Effect<ReadonlyArray<Event>, StoreError>
    /** The messages in (after, before), in order; at most `limit`, the newest. */
    readonly words: (
      thread: ThreadId,
      after: number,
      before: number,
      limit: number,
    ) => Effect.Effect<ReadonlyArray<MessageEvent>, StoreError>
    readonly message: (id: EventId) => Effect.Effect<MessageEvent | undefined, StoreError>
    /** Replays after the cursor, then live: no gap, no duplicate, in position order. */
    readonly follow: (thread: ThreadId, after: number) => Stream.Stream<Event, StoreError | BusError>
    readonly why: (message: EventId, agent: AgentId) => Effect.Effect<Why | undefined, StoreError>
  }
>()("troupe/room/Rooms") {
  static readonly layer = Layer.effect(
    Rooms,
    Effect.gen(function* () {
      const sql = yield* Sql
      const bus = yield* Bus
      const roster = yield* Roster
      // Agents that begin at the same time ask together.
      const under = lane<
        { readonly thread: ThreadId; readonly but: AgentId },
        { readonly ord: number; readonly under: ReadonlyArray<UnderWay> }
      >(sql, underText)
      const one = <A extends object>(text: string, params: ReadonlyArray<unknown>) =>
        Effect.map(sql.cold<A>(text, params), (rows) => rows[0])
      const events = (thread: ThreadId, after: number, limit: number) =>
        Effect.map(sql.cold<{ event: Event }>(eventsText, [thread, after, limit]), (rows) =>
          rows.map((r) => r.event),
        )
      const message = (id: EventId) =>
        Effect.map(one<{ event: MessageEvent }>(messageText, [id]), (row) => row?.event)

      const follow = (thread: ThreadId, after: number) =>
        Stream.unwrap(
          Effect.gen(function* () {
            const heard = yield* Queue.unbounded<Event>()
            yield* bus.listen(everythingIn(roster.ws, thread), (_, payload) => {
              Queue.offerUnsafe(heard, JSON.parse(payload) as Event)
            })
            let cursor = after
            /** Everything after the cursor that the log has by now. */
            const replay = Effect.gen(function* () {
              const all: Array<Event> = []
              for (;;) {
                const page = yield* events(thread, cursor, 500)
                all.push(...page)
                if (page.length > 0) cursor = page[page.length - 1]!.pos
                if (page.length < 500) return all
              }
            })
            const live = Effect.gen(function* () {
              const event = yield* Queue.take(heard)
              if (event.pos <= cursor) return []
              const whole =
                event.pos === cursor + 1 && !(event.kind === "message" && event.truncated === true)
              if (!whole) return yield* replay
              cursor = event.pos
              return [event]
            })
            return Stream.fromIterableEffect(replay).pipe(
              Stream.concat(Stream.fromIterableEffectRepeat(live)),
            )
          }),
        )

      const why = Effect.fnUntraced(function* (id: EventId, agent: AgentId) {
        const event = yield* message(id)
        if (event === undefined) return undefined
        const rows = yield* sql.cold<Decision>(decisionsText, [id])
        const mine =
          rows.find((r) => r.agent === agent && r.slot !== triage) ?? rows.find((r) => r.slot === agent)
        if (mine !== undefined) {
          return {
            verdict: mine.state,
            agent,
            reason: mine.reason ?? "waiting to be decided",
            evidence: mine.evidence,
            turn: mine.turn,
          }
        }
        return passOf(event, agent, rows, roster)
      })

      return Rooms.of({
        list: sql.cold<Room & object>(roomsText, [roster.ws]),
        open: Effect.fnUntraced(function* (door, title, given) {
          const id = given ?? newId<ThreadId>(yield* Clock.currentTimeMillis)
          yield* sql.cold(
            "insert into thread (id, ws, door, channel, title) values ($1, $2, $3, $1, $4) on conflict do nothing",
            [id, roster.ws, door, title],
          )
          return (yield* one<Room & object>(roomText, [roster.ws, id]))!
        }),
        moved: (door, from, to) => Effect.asVoid(sql.cold(movedText, [door, from, to])),
        under: (thread, but) => Effect.map(under({ thread, but }), (row) => row.under),
        working: Effect.map(
          sql.cold<{ agent: AgentId }>(
            "select distinct agent from turn where ws = $1 and state = 'running'",
            [roster.ws],
          ),
          (rows) => new Set(rows.map((r) => r.agent)),
        ),
        get: (thread) => one<Room & object>(roomText, [roster.ws, thread]),
        events,
        words: (thread, after, before, limit) =>
          Effect.map(sql.cold<{ event: MessageEvent }>(wordsText, [thread, after, before, limit]), (rows) =>
            rows.map((r) => r.event),
          ),
        message,
        follow,
        why,
      })
    }),
  )
}

interface Decision {
  readonly slot: string
  readonly state: Why["verdict"]
  readonly agent: AgentId | null
  readonly reason: string | null
  readonly evidence: unknown
  readonly turn: string | null
}

/** P4: a pass is not written, it follows from the message, the members and who took the slots. */
const passOf = (
  event: MessageEvent,
  agent: AgentId,
  rows: ReadonlyArray<Decision>,
  roster: Roster["Service"],
): Why => {
  const pass = (reason: string, evidence: unknown = null): Why => ({
    verdict: "pass",
    agent,
    reason,
    evidence,
    turn: null,
  })
  const { agents, doors } = roster.now()
  const member = doors.get(event.door)?.members.find((m) => m.agent.id === agent)
  if (event.author.kind === "agent" && event.author.id === agent) return pass("its own words")
  if (member === undefined) return pass("not a member of this room")
  if (member.since > event.at) return pass("joined after these words")
  if (event.slots.length === 0) return pass("nobody was asked")
  const order = rows.find((r) => r.slot === orderSlot)
  if (order !== undefined) return pass(`an order: ${order.reason ?? "waiting to be carried out"}`)
  const found = rows.find((r) => r.slot === triage)
  if (found !== undefined) return pass(found.reason ?? "triage: waiting to be decided", found.evidence)
  if (!event.slots.includes("*"))
    return pass(`addressed to ${event.slots.map((s) => agents.get(s as AgentId)?.name ?? s).join(", ")}`)
  if (!isInside(member.agent)) return pass("an outside agent answers when it is addressed")
  const led = rows.find((r) => r.slot === "*")
  if (led?.state === "pass") return pass(led.reason ?? "nobody took it up")
  const ranking = rank(
    event,
    doors.get(event.door)!.members.map((m) => m.agent),
  )
  const leader = led?.agent ?? ranking[0]?.agent
  if (leader === agent)
    return { ...pass("first in rank, waiting to be decided", ranking), verdict: led?.state ?? "due" }
  return pass(`${agents.get(leader!)?.name ?? "another agent"} ranked before it`, ranking)
}

/** Latest calls of a turn are looked for in this many last events of its room. */
const underText = `
select b.ord, (
  select coalesce(jsonb_agg(to_jsonb(u) - 'at' order by u.at), '[]') from (
    select t.agent, t.state, t.started_at as at, e.body->'author'->>'name' as asker, left(e.body->>'text', 200) as words,
      (select coalesce(jsonb_agg(c.summary), '[]') from (
        select left(x.body->>'summary', 200) as summary from event x
        where x.thread = t.thread and x.pos > r.head - 100 and x.kind = 'tool' and x.body->>'turn' = t.id
          and x.body->>'state' = 'started'
        order by x.pos desc limit 3) c) as did
    from turn t join event e on e.id = t.event join thread r on r.id = t.thread
    where t.thread = b.thread and t.agent <> b.but and t.state in ('running', 'waiting') order by t.started_at limit 10) u) as under
from jsonb_to_recordset($1::jsonb) as b(ord int, thread text, but text) order by b.ord`
const roomColumns = `id, door, channel, title, head,
  to_char(last_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "lastAt"`
const roomsText = `select ${roomColumns} from thread where ws = $1 order by last_at desc limit 200`
const roomText = `select ${roomColumns} from thread where ws = $1 and id = $2`
/** A topic's channel is `<chat>/<topic>`. */
const movedText = `
with t as (
  update thread set channel = $3 || substr(channel, length($2) + 1)
  where door = $1 and (channel = $2 or channel like $2 || '/%')
    and not exists (select from thread o where o.door = $1 and o.channel = $3 || substr(thread.channel, length($2) + 1)))
update outbox set channel = $3 || substr(channel, length($2) + 1)
where door = $1 and (channel = $2 or channel like $2 || '/%') and state in ('creating', 'created')`
const eventsText = `select ${eventJson} as event from event e join thread t on t.id = e.thread
  where e.thread = $1 and e.pos > $2 order by e.pos limit $3`
const wordsText = `select event from (
  select ${eventJson} as event, e.pos from event e join thread t on t.id = e.thread
  where e.thread = $1 and e.pos > $2 and e.pos < $3 and e.kind = 'message' order by e.pos desc limit $4) w order by pos`
const messageText = `select ${eventJson} as event from event e join thread t on t.id = e.thread where e.id = $1 and e.kind = 'message'`
const decisionsText = `select slot, state, agent, reason, evidence, turn from decision where event = $1`
