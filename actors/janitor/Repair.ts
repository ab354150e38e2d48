/**
 * P4: the only recovery road for words nobody decided. A due decision that is overdue (5 s, then 10, 20 ... at most an hour) is told
 * again: its message is published under another id, and counts which time it is. Agents still act only on what the bus
 * delivers. It counts only what was published: while the bus is away nothing moves further into the future.
 */
import * as Effect from "effect/Effect"
import { Relay, Rooms, Roster, Sql, type AgentId, type EventId } from "../../runtime/index.ts"

interface Overdue {
  readonly event: EventId
  readonly repairs: number
  readonly pos: number
}

/** One row a message, however many slots of it are due. */
const overdueText = `
select d.event, e.pos, max(d.repairs)::int as repairs from decision d join event e on e.id = d.event where d.ws = $1 and d.state = 'due'`
const countText = `
update decision set repairs = $2, due_at = now() + least(interval '5 seconds' * (2 ^ least($2 - 1, 10)), interval '1 hour')
where event = $1 and state = 'due'`

const tellAgain = Effect.fnUntraced(function* (rows: ReadonlyArray<Overdue>) {
  const sql = yield* Sql
  const rooms = yield* Rooms
  const relay = yield* Relay
  // P2: within a room, in the room's order.
  for (const { event: id, repairs } of rows.toSorted((a, b) => a.pos - b.pos)) {
    const event = yield* rooms.message(id)
    if (event === undefined) continue
    yield* relay.repair(event, repairs + 1)
    yield* sql.cold(countText, [id, repairs + 1])
  }
})

/** What is overdue in the workspace, oldest first. */
export const repairOverdue = Effect.gen(function* () {
  const sql = yield* Sql
  const { ws } = yield* Roster
  const rows = yield* sql.cold<Overdue & object>(
    `${overdueText} and d.due_at < now() - interval '5 seconds' group by d.event, e.pos order by min(d.due_at) limit 500`,
    [ws],
  )
  yield* tellAgain(rows)
})

/** Whatever is due for one agent, at once: it has a new owner. */
export const repairDue = Effect.fnUntraced(function* (agent: AgentId) {
  const sql = yield* Sql
  const { ws } = yield* Roster
  const rows = yield* sql.cold<Overdue & object>(
    `${overdueText} and (d.slot = $2 or (d.slot = '*' and exists (
       select from thread t join member m on m.door = t.door and m.agent = $2 where t.id = d.thread)))
     group by d.event, e.pos order by min(d.due_at)`,
    [ws, agent],
  )
  yield* tellAgain(rows)
})
