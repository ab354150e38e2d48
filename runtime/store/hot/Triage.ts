/**
 * S2t triage (P4, P6, P10): finding whom to ask by one model call, as a journalled step of its own. `start` reserves the money and
 * writes the step as started, as long as the slot `?` is due and the agent is ours; what an earlier try reserved counts as
 * spent. `settle` fills the slot with who was found, opens a slot for each, and says so in the room. What is reserved stands in
 * the decision, which both lock: they see it also where the steps of another statement are not visible yet.
 */
import { lane } from "../Lane.ts"
import type { Sql } from "../Sql.ts"
import { append, appended, appending, withAppended, type Landed, type NewEvent } from "./Append.ts"
import type { Scope } from "./Begin.ts"
import { due, givenUp, reserve, settle } from "./parts.ts"

export interface TriageRow {
  readonly event: string
  readonly agent: string
  readonly fence: number
  /** Which try this is. */
  readonly n: number
  readonly wanted: number
  readonly least: number
  readonly scopes: ReadonlyArray<Scope>
}
export interface TriagingRow {
  readonly ord: number
  /** False: it was decided, or is not ours. */
  readonly mine: boolean
  /** Null: the money is used up. */
  readonly granted: number | null
}

const step = `'triage:' || b.event`
const attempt = `b.agent || '/' || b.n`

const startText = `
with b as (
  select * from jsonb_to_recordset($1::jsonb) as b(ord int, event text, agent text, fence bigint, n int, wanted bigint, least bigint,
    scopes jsonb)),
held as (
  select b.* from b join lease l on l.name = 'agent:' || b.agent and l.fence = b.fence for share of l),
ok as (
  select b.*, ${givenUp("d.evidence")} as release
  from held b join decision d on d.event = b.event and d.slot = '?' and d.state = 'due' for update of d),
${reserve},
${settle(true)},
gone as (
  update step s set state = 'unknown', cost = s.reserved, ended_at = now() from ok b
  where s.turn = ${step} and s.n <> b.n and s.state = 'started'),
de as (
  update decision d set evidence = case when g.amount is not null then
    jsonb_build_object('try', ${attempt}, 'scopes', b.scopes, 'reserved', g.amount) end
  from ok b join granted g using (ord) where d.event = b.event and d.slot = '?'),
st as (
  insert into step (turn, n, kind, state, reserved, scopes)
  select ${step}, b.n, 'triage', 'started', g.amount, b.scopes from ok b join granted g using (ord) where g.amount is not null
  on conflict (turn, n) do update set state = 'started', reserved = excluded.reserved)
select b.ord, o.ord is not null as mine, g.amount::float8 as granted
from b left join ok o using (ord) left join granted g using (ord) order by b.ord`

export interface TriagedRow {
  readonly ws: string
  readonly event: string
  readonly agent: string
  readonly thread: string
  readonly door: string
  readonly n: number
  readonly cost: number
  readonly usage: object | null
  readonly reason: string
  readonly evidence: object
  readonly due: ReadonlyArray<{ readonly event: string; readonly slot: string }>
  readonly events: ReadonlyArray<NewEvent>
}
export interface FoundRow {
  readonly ord: number
  readonly written: boolean
  readonly events: ReadonlyArray<Landed>
}

const settleText = `
with b as (
  select * from jsonb_to_recordset($1::jsonb) as b(ord int, ws text, event text, agent text, thread text, n int, cost bigint, usage jsonb,
    reason text, evidence jsonb, due jsonb, events jsonb, last_said int)),
ok as (
  update decision d set state = 'done', agent = b.agent, reason = b.reason, evidence = b.evidence, at = now() from b
  where d.event = b.event and d.slot = '?' and d.state = 'due'
  returning b.*, ${givenUp("old.evidence", `case when old.evidence->>'try' = ${attempt} then b.cost end`)} as release),
en as (
  update step s set ended_at = now(), usage = case when s.n = b.n then b.usage end,
    state = case when s.n = b.n then 'saved' else 'unknown' end, cost = case when s.n = b.n then b.cost else s.reserved end
  from ok b where s.turn = ${step} and s.state = 'started'),
${settle(false)},
${due.replace("state)", "state, repairs)").replace("'due'", "'due', b.n")},
${append()}
select b.ord, o.ord is not null as written, ${appended} from b left join ok o using (ord) ${withAppended} order by b.ord`

export const startTriage = (sql: Sql["Service"]) => lane<TriageRow, TriagingRow>(sql, startText)
export const settleTriage = (sql: Sql["Service"]) => appending<TriagedRow, FoundRow>(sql, settleText)
