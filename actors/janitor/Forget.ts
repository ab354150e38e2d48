/**
 * Retention: rooms where nothing was said for so many days go, whole: words, decisions, turns, transcripts, what was sent. Only where
 * nothing is under way, waits or is to be published. Money that was spent and the audit log stay. One statement, a few rooms at a time.
 */
import * as Effect from "effect/Effect"
import { Roster, Sql } from "../../runtime/index.ts"

const text = `
with old as (
  select t.id from thread t
  where t.ws = $1 and t.last_at < now() - make_interval(days => $2) and t.head = t.published
    and not exists (select from turn u where u.thread = t.id and u.state in ('running', 'waiting'))
    and not exists (select from decision d where d.thread = t.id and d.state in ('due', 'queued'))
    and not exists (select from outbox o where o.thread = t.id and o.state in ('creating', 'created'))
  order by t.last_at limit 20 for update),
turns as (delete from turn where thread in (select id from old) returning id),
steps as (delete from step where turn in (select id from turns)),
events as (delete from event where thread in (select id from old)),
decisions as (delete from decision where thread in (select id from old)),
approvals as (delete from approval where thread in (select id from old)),
segments as (delete from segment where thread in (select id from old)),
transcripts as (delete from transcript where thread in (select id from old)),
parcels as (delete from outbox where thread in (select id from old)),
shells as (delete from sprite_session where thread in (select id from old))
delete from thread where id in (select id from old) returning id`

/** `days`: null keeps everything. */
export const forgetQuietRooms = Effect.fnUntraced(function* (days: number | null) {
  if (days === null) return 0
  const sql = yield* Sql
  const { ws } = yield* Roster
  const gone = yield* sql.cold(text, [ws, days])
  if (gone.length > 0) yield* Effect.logInfo(`Forgot ${gone.length} rooms that were quiet for ${days} days.`)
  return gone.length
})
