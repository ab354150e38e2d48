/**
 * What nobody did in time. `expire`: permissions that were asked for a day ago count as refused, and their turn goes on. `close`:
 * a slot whose agent is gone is filled as a pass with the reason, and whoever waits for it is asked to know. Both are told in
 * the room by the same statement.
 */
import type { Sql } from "../Sql.ts"
import { append, appended, appending, withAppended, type Landed, type NewEvent } from "./Append.ts"
import { due, givenUp, settle } from "./parts.ts"

export interface ExpireRow {
  readonly turn: string
  readonly agent: string
  readonly thread: string
  readonly door: string
  readonly events: ReadonlyArray<NewEvent>
}
export interface ExpiredRow {
  readonly ord: number
  readonly resumed: boolean
  readonly events: ReadonlyArray<Landed>
}

const expireText = `
with b as (select * from jsonb_to_recordset($1::jsonb) as b(ord int, turn text, thread text, events jsonb, last_said int)),
ok as (
  update turn t set state = 'running', reason = 'resumed' from b
  where t.id = b.turn and t.state = 'waiting' and t.reason = 'approval' and not t.stop
    and exists (select from approval a where a.turn = t.id and a.answer is null and a.asked_at < now() - interval '24 hours')
  returning b.*),
gone as (
  update approval a set answer = 'expired', answered_at = now() from ok b where a.turn = b.turn and a.answer is null),
${append()}
select b.ord, o.ord is not null as resumed, ${appended} from b left join ok o using (ord) ${withAppended} order by b.ord`

export interface CloseRow {
  readonly ws: string
  readonly event: string
  readonly slot: string
  readonly thread: string
  readonly door: string
  readonly reason: string
  readonly due: ReadonlyArray<{ readonly event: string; readonly slot: string }>
  readonly events: ReadonlyArray<NewEvent>
}
export interface ClosedRow {
  readonly ord: number
  readonly closed: boolean
  readonly events: ReadonlyArray<Landed>
}

const closeText = `
with b as (
  select * from jsonb_to_recordset($1::jsonb) as b(ord int, ws text, event text, slot text, thread text, reason text, due jsonb, events jsonb, last_said int)),
ok as (
  update decision d set state = 'pass', reason = b.reason, at = now() from b
  where d.event = b.event and d.slot = b.slot and d.state = 'due' returning b.*, ${givenUp("old.evidence")} as release),
${settle(false)},
${append()},
${due}
select b.ord, o.ord is not null as closed, ${appended} from b left join ok o using (ord) ${withAppended} order by b.ord`

export const expire = (sql: Sql["Service"]) => appending<ExpireRow, ExpiredRow>(sql, expireText)
export const close = (sql: Sql["Service"]) => appending<CloseRow, ClosedRow>(sql, closeText)
