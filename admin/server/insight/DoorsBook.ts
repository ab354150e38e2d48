/** The doors of the company and what passes them. Settings are shown as they are stored: without any secret. */
import * as Effect from "effect/Effect"
import { Roster, Sql } from "../../../runtime/index.ts"
import type { IntegrationView, Status } from "../../api/index.ts"

interface Row extends Omit<IntegrationView, "state" | "detail" | "agents"> {
  readonly id: string
}

const iso = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
const text = `
select d.id, d.name, d.type, d.settings,
  (select count(*)::int from thread t where t.door = d.id) as rooms,
  (select ${iso("max(i.at)")} from inbox i where i.door = d.id) as "lastIn",
  (select count(*)::int from inbox i where i.door = d.id and i.at > now() - interval '1 day') as day,
  (select ${iso("max(o.at)")} from outbox o where o.door = d.id and o.state = 'done') as "lastOut",
  (select count(*)::int from outbox o where o.door = d.id and o.state in ('creating', 'created')) as unsaid
from door d where d.ws = $1 and d.removed_at is null order by d.name`

export const doorsBook = Effect.gen(function* () {
  const sql = yield* Sql
  const roster = yield* Roster
  return (status: Effect.Effect<Status>) =>
    Effect.gen(function* () {
      const [rows, { integrations }] = yield* Effect.all([sql.cold<Row>(text, [roster.ws]), status])
      return rows.map(({ id, ...row }): IntegrationView => {
        const report = integrations.find(({ name }) => name === row.name)
        const members = [...roster.now().doors.values()].find((d) => d.id === id)?.members ?? []
        return {
          ...row,
          state: report?.state ?? "connected",
          detail: report?.detail ?? null,
          agents: members.map(({ agent }) => agent.name),
        }
      })
    })
})
