/**
 * P4: the only recovery road for words nobody decided. A due decision that is overdue (5 s, then 10, 20 ...) is told again: its
 * message is published under another id, and counts which time it is. Agents still act only on what the bus delivers.
 */
import * as Effect from "effect/Effect"
import { Relay, Rooms, Roster, Sql, type AgentId, type EventId } from "../../runtime/index.ts"

interface Overdue {
  readonly event: EventId
  readonly repairs: number
}

const bump = `
update decision d set repairs = d.repairs + 1, due_at = now() + least(interval '5 seconds' * (2 ^ least(d.repairs, 10)), interval '1 hour')
where d.ws = $1 and d.state = 'due'`

const tellAgain = Effect.fnUntraced(function* (rows: ReadonlyArray<Overdue>) {
  const rooms = yield* Rooms
  const relay = yield* Relay
  const times = new Map<EventId, number>()
  for (const row of rows) times.set(row.event, Math.max(row.repairs, times.get(row.event) ?? 0))
  for (const [id, n] of times) {
    const event = yield* rooms.message(id)
    if (event !== undefined) yield* relay.repair(event, n)
  }
})

/** What is overdue in the workspace. */
export const repairOverdue = Effect.gen(function* () {
  const sql = yield* Sql
  const { ws } = yield* Roster
  const rows = yield* sql.cold<Overdue & object>(
    `${bump} and d.due_at < now() - interval '5 seconds' returning event, repairs`,
    [ws],
  )
  yield* tellAgain(rows)
})

/** Whatever is due for one agent, at once: it has a new owner. */
export const repairDue = Effect.fnUntraced(function* (agent: AgentId) {
  const sql = yield* Sql
  const { ws } = yield* Roster
  const rows = yield* sql.cold<Overdue & object>(
    `${bump} and (d.slot = $2 or (d.slot = '*' and exists (
       select from thread t join member m on m.door = t.door and m.agent = $2 where t.id = d.thread))) returning event, repairs`,
    [ws, agent],
  )
  yield* tellAgain(rows)
})
