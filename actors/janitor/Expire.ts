/**
 * What waits too long ends. A permission that nobody gave within a day counts as refused, and the turn goes on. A turn that
 * rests for money, or because it was told to, a day after it began is stopped. Open words that are older than anybody's
 * patience, and slots of agents that have left, are closed with that reason (P4: every silence has one); whoever invited such
 * an agent is told.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import {
  eventJson,
  following,
  runtimeAt,
  Journal,
  newId,
  Roster,
  Sql,
  usualPatience,
  type AgentId,
  type DoorId,
  type EventId,
  type MessageEvent,
  type Said,
  type ThreadId,
  type TurnId,
} from "../../runtime/index.ts"

interface Asked {
  readonly turn: TurnId
  readonly agent: AgentId
  readonly thread: ThreadId
  readonly door: DoorId
  readonly asked: ReadonlyArray<{ readonly call: string; readonly summary: string }>
}

const expirePermissions = Effect.gen(function* () {
  const sql = yield* Sql
  const journal = yield* Journal
  const { ws } = yield* Roster
  const rows = yield* sql.cold<Asked & object>(
    `select a.turn, a.agent, a.thread, t.door, jsonb_agg(jsonb_build_object('call', a.call, 'summary', a.summary)) as asked
     from approval a join thread t on t.id = a.thread
     where a.ws = $1 and a.answer is null and a.asked_at < now() - interval '24 hours' group by a.turn, a.agent, a.thread, t.door limit 100`,
    [ws],
  )
  for (const { asked, ...row } of rows)
    yield* journal.expire({
      ...row,
      events: asked.map((a): Said => ({
        body: {
          kind: "approval",
          turn: row.turn,
          agent: row.agent,
          call: a.call,
          state: "answered",
          summary: a.summary,
          answer: "expired",
          by: null,
        },
      })),
    })
})

const stopRests = Effect.gen(function* () {
  const sql = yield* Sql
  const { ws } = yield* Roster
  // Whoever owns the agent hears of it as of any stop.
  yield* sql.cold(
    `update turn set stop = true where ws = $1 and state = 'waiting' and reason in ('money', 'wait') and not stop
       and started_at < now() - interval '24 hours'`,
    [ws],
  )
})

const closeStale = Effect.gen(function* () {
  const sql = yield* Sql
  const { ws, now } = yield* Roster
  const patience = Math.max(usualPatience, ...[...now().agents.values()].map((a) => a.patience))
  yield* sql.cold(
    `update decision d set state = 'pass', reason = 'nobody was there to hear it in time', at = now() from event e
     where d.ws = $1 and d.state = 'due' and d.slot in ('*', '?') and e.id = d.event and e.at < now() - make_interval(secs => $2)`,
    [ws, patience * 60],
  )
})

interface Left {
  readonly event: MessageEvent
  readonly slot: AgentId
  readonly name: string
}

const closeLeft = Effect.gen(function* () {
  const sql = yield* Sql
  const journal = yield* Journal
  const { ws, now } = yield* Roster
  const rows = yield* sql.cold<Left & object>(
    `select ${eventJson} as event, d.slot, a.name
     from decision d join event e on e.id = d.event join thread t on t.id = e.thread join agent a on a.id = d.slot
     where d.ws = $1 and d.state = 'due' and d.repairs > 0 and (a.removed_at is not null or not exists (
       select from member m where m.agent = d.slot and m.door = t.door)) limit 100`,
    [ws],
  )
  for (const { event, slot, name } of rows) {
    const inviter = event.invites === true ? (event.author.id as AgentId) : undefined
    const there = now()
      .doors.get(event.door)
      ?.members.some((m) => m.agent.id === inviter)
    const id = newId<EventId>(yield* Clock.currentTimeMillis)
    const told: ReadonlyArray<Said> =
      inviter === undefined || there !== true
        ? []
        : [
            {
              id,
              key: `left:${event.id}:${slot}`,
              body: following(
                event,
                runtimeAt(event.door),
                `@${name} is not in this room any more and did not take up what it was asked.`,
                { slots: [inviter] },
              ),
            },
          ]
    yield* journal.close({
      ws,
      event: event.id,
      slot,
      thread: event.thread,
      door: event.door,
      reason: `@${name} has left this room`,
      due: told.length === 0 ? [] : [{ event: id, slot: inviter! }],
      events: told,
    })
  }
})

export const expire = Effect.all([expirePermissions, stopRests, closeStale, closeLeft], { discard: true })
