/**
 * S4 saved and S5 continued (P6, P9, P10, P12): the two commits of a tool round. Both are the turn's own statements: they update
 * its row `where fence = $n and state = 'running' and not stop`, so that a process that lost the agent, and a stopped turn,
 * write nothing (`written` is false). Only a step that was saved counts as getting further (P11).
 *
 * S4: the model's reply is saved and its tool calls are journalled as started, before any of them runs.
 * S5: their results, the words that joined and the next model step, started with its money reserved. `granted` is null when
 * the money is used up: no step was started. A tool call that waited for permission and has it is started the same way; any
 * other step is started once, or refused.
 */
import type { Sql } from "../Sql.ts"
import { append, appended, appending, withAppended, type Landed, type NewEvent } from "./Append.ts"
import type { Release, Scope, TranscriptRow } from "./Begin.ts"
import { byKey, ended, reserve, settle, transcribe } from "./parts.ts"

export interface AdvanceRow {
  readonly turn: string
  readonly agent: string
  readonly thread: string
  readonly door: string
  readonly segment: number
  readonly fence: number
  /** How many joined words the turn has taken in so far. */
  readonly taken: number
  /** Steps that ended: the model call that was saved, the tools that ran. */
  readonly ended: ReadonlyArray<{
    readonly n: number
    readonly state: "saved" | "failed" | "unknown"
    readonly cost: number
    readonly usage: object | null
  }>
  /** Steps that start: tool calls, or the next model call (which takes what was granted). */
  readonly started: ReadonlyArray<{
    readonly n: number
    readonly kind: "model" | "tool"
    readonly call: string | null
    readonly tool: string | null
    readonly input: string | null
  }>
  /** Money for the next model call; null when none starts. */
  readonly wanted: number | null
  readonly least: number
  readonly scopes: ReadonlyArray<Scope>
  readonly release: ReadonlyArray<Release>
  readonly rows: ReadonlyArray<TranscriptRow>
  /** The frozen text of a new segment, where the turn goes on in one. */
  readonly frozen: string | null
  readonly events: ReadonlyArray<NewEvent>
}

export interface AdvancedRow {
  readonly ord: number
  readonly written: boolean
  readonly granted: number | null
  /** It was told to wait: it rests now, before anything else. */
  readonly hold: boolean
  readonly events: ReadonlyArray<Landed>
}

const text = `
with b as (
  select * from jsonb_to_recordset($1::jsonb) as b(ord int, turn text, agent text, thread text, segment int, fence bigint, taken int,
    ended jsonb, started jsonb, wanted bigint, least bigint, scopes jsonb, release jsonb, rows jsonb, frozen text, events jsonb, last_said int)),
ok as (
  update turn t set taken = greatest(t.taken, b.taken), segment = b.segment, reason = null,
    attempts = case when jsonb_path_exists(b.ended, '$[*] ? (@.state == "saved")') then 0 else t.attempts end,
    cost = t.cost + coalesce((select sum((e->>'cost')::bigint) from jsonb_array_elements(b.ended) e), 0),
    tools = t.tools + (select count(*) from jsonb_array_elements(b.started) e where e->>'kind' = 'tool')
  from b where t.id = b.turn and t.fence = b.fence and ${byKey("t.state")} = 'running' and not t.stop
  returning b.*, t.hold),
${reserve},
${settle(true)},
${ended},
st as (
  insert into step (turn, n, kind, state, call, tool, input, reserved, scopes)
  select b.turn, s.n, s.kind, 'started', s.call, s.tool, s.input, coalesce(case when s.kind = 'model' then g.amount end, 0),
    case when s.kind = 'model' then b.scopes end
  from ok b left join granted g using (ord),
    jsonb_to_recordset(b.started) as s(n int, kind text, call text, tool text, input text)
  where s.kind = 'tool' or g.amount is not null
  on conflict (turn, n) do update set state = case when step.state = 'pending' then 'started' end, started_at = now()),
sg as (
  insert into segment (agent, thread, segment, frozen)
  select b.agent, b.thread, b.segment, b.frozen from ok b where b.frozen is not null),
${transcribe},
${append()}
select b.ord, o.ord is not null as written, g.amount::float8 as granted, coalesce(o.hold, false) as hold, ${appended}
from b left join ok o using (ord) left join granted g using (ord) ${withAppended} order by b.ord`

export const advance = (sql: Sql["Service"]) => appending<AdvanceRow, AdvancedRow>(sql, text)
