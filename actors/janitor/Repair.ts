/**
 * P4: the only recovery road for words nobody decided. A due decision that is overdue (5 s, then 10, 20 ... at most an hour) is told
 * again: its message is published under another id, asks those who are still to decide, and counts which time it is. Agents
 * still act only on what the bus delivers. It counts only what was published: while the bus is away nothing moves further into
 * the future. What asks an outside agent, which works before it answers, is told again no sooner than after a minute.
 */
import * as Effect from "effect/Effect"
import { eventJson, Relay, Roster, Sql, type AgentId, type MessageEvent } from "../../runtime/index.ts"
import { outsideAgents } from "./Unanswered.ts"

interface Overdue {
  readonly event: MessageEvent
  readonly repairs: number
}

/** One row a message, however many slots of it are due. */
const overdueText = `
select ${eventJson} || jsonb_build_object('slots', jsonb_agg(d.slot)) as event, max(d.repairs)::int as repairs
from decision d join event e on e.id = d.event join thread t on t.id = e.thread where d.ws = $1 and d.state = 'due'`
const grouped = `group by e.thread, e.pos, t.id order by min(d.due_at)`
const countText = `
update decision d set repairs = b.n, due_at = now() + least(interval '5 seconds' * (2 ^ least(b.n - 1, 10)), interval '1 hour')
from jsonb_to_recordset($1::jsonb) as b(id text, n int) where d.event = b.id and d.state = 'due'`

/** Messages that are published together. */
const atOnce = 100

const tellAgain = Effect.fnUntraced(function* (rows: ReadonlyArray<Overdue>) {
  const sql = yield* Sql
  const relay = yield* Relay
  // P2: within a room, in the room's order.
  const ordered = rows.toSorted((a, b) => a.event.pos - b.event.pos)
  for (let from = 0; from < ordered.length; from += atOnce) {
    const told = ordered.slice(from, from + atOnce).map(({ event, repairs }) => ({ event, n: repairs + 1 }))
    yield* relay.repair(told)
    yield* sql.cold(countText, [told.map(({ event, n }) => ({ id: event.id, n }))])
  }
})

/** What is overdue in the workspace, oldest first. */
export const repairOverdue = Effect.gen(function* () {
  const sql = yield* Sql
  const { ws } = yield* Roster
  const rows = yield* sql.hot<Overdue & object>(
    `${overdueText} and d.due_at < now() - case when d.slot = any ($2::text[]) then interval '1 minute' else interval '5 seconds' end
     ${grouped} limit 500`,
    [ws, (yield* outsideAgents).map((a) => a.id)],
  )
  yield* tellAgain(rows)
})

/** Whatever is due for one agent, at once: it has a new owner. */
export const repairDue = Effect.fnUntraced(function* (agent: AgentId) {
  const sql = yield* Sql
  const { ws } = yield* Roster
  const rows = yield* sql.cold<Overdue & object>(
    `${overdueText} and (d.slot = $2 or (d.slot in ('*', '?', '!') and exists (
       select from member m where m.door = t.door and m.agent = $2))) ${grouped}`,
    [ws, agent],
  )
  yield* tellAgain(rows)
})
