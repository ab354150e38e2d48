/**
 * S2j join, S2q queue and stop: how words reach an agent that is at work (P5, P13). `join` counts the words into the running turn
 * in the statement that decides them, if their author's rights cover those of the person the turn acts for; the turn takes them in at its next boundary, or finds them at its end.
 */
import { lane } from "../Lane.ts"
import type { Sql } from "../Sql.ts"
import { append, appended, appending, withAppended, type Landed, type NewEvent } from "./Append.ts"
import { covers, rules } from "./parts.ts"

export interface JoinRow {
  readonly ws: string
  readonly event: string
  readonly slot: string
  readonly agent: string
  readonly thread: string
  readonly door: string
  readonly turn: string
  readonly fence: number
  readonly reason: string
  /** Who speaks, as a principal. */
  readonly person: string
  readonly events: ReadonlyArray<NewEvent>
}
export interface JoinedRow {
  readonly ord: number
  readonly joined: boolean
  readonly events: ReadonlyArray<Landed>
}

/** One word into one turn a statement: two words for the same turn in one batch would count as one. */
const joinText = `
with b as (
  select * from jsonb_to_recordset($1::jsonb) as b(ord int, ws text, event text, slot text, agent text, thread text, turn text,
    fence bigint, reason text, person text, events jsonb, last_said int)),
first as (select distinct on (turn) * from b order by turn, ord),
open as (
  select f.ord, t.joined from first f join turn t on t.id = f.turn
  where t.fence = f.fence and t.state in ('running', 'waiting') and not t.stop
    and (${covers("f.person", "t.principal")} or ${rules("f.person")}) for update of t),
ok as (
  insert into decision (event, slot, thread, ws, state, agent, turn, reason, join_n, at)
  select f.event, f.slot, f.thread, f.ws, 'joined', f.agent, f.turn, f.reason, o.joined + 1, now()
  from first f join open o using (ord)
  on conflict (event, slot) do update set state = 'joined', agent = excluded.agent, turn = excluded.turn,
    reason = excluded.reason, join_n = excluded.join_n, at = now()
    where decision.state = 'due' or (decision.state = 'queued' and decision.agent = excluded.agent)
  returning event, slot),
done as (select f.* from first f join ok using (event, slot)),
up as (update turn t set joined = t.joined + 1 from done d where t.id = d.turn),
${append("done")}
select b.ord, d.ord is not null as joined, ${appended} from b left join done d using (ord) ${withAppended} order by b.ord`

export interface QueueRow {
  readonly event: string
  readonly slot: string
  readonly agent: string
  readonly reason: string
}

const queueText = `
with b as (select * from jsonb_to_recordset($1::jsonb) as b(ord int, event text, slot text, agent text, reason text)),
ok as (
  update decision d set state = 'queued', agent = b.agent, reason = b.reason, at = now() from b
  where d.event = b.event and d.slot = b.slot and d.state = 'due' returning b.ord)
select b.ord, o.ord is not null as queued from b left join ok o using (ord) order by b.ord`

export const join = (sql: Sql["Service"]) => appending<JoinRow, JoinedRow>(sql, joinText)
export const queue = (sql: Sql["Service"]) =>
  lane<QueueRow, { readonly ord: number; readonly queued: boolean }>(sql, queueText)
