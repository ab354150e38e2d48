/** Deliveries of a door that were stored before their work was done, oldest first: their `<external id>/done` is missing. */
import type { DoorId, Sql } from "../runtime/index.ts"

export const waiting = (sql: Sql["Service"], door: DoorId) =>
  sql.cold<{ readonly externalId: string; readonly raw: object }>(text, [door])

const text = `
select external_id as "externalId", raw from inbox i
where door = $1 and at > now() - interval '4 days' and raw @> '{"waiting": true}'
  and not exists (select from inbox d where d.door = $1 and d.external_id = i.external_id || '/done')
order by at, external_id`
