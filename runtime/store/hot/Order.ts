/**
 * S8 order (P4, P9, P10, P13): an order is carried out once, by the statement that fills its decision (slot `!`). Who gave it
 * must be the person the work is for, the same person at another door, or an owner or operator; a stop is open to everybody
 * who may speak in the room.
 *
 * stop marks turns, after which none of their statements is written but the end. wait marks them to rest at the next boundary.
 * continue resumes what rests; a turn that rests for money gets more; where nothing rests it asks those anew whom the
 * last words did not reach, or who worked last. approve and refuse answer what is asked, once; spend grants money and resumes.
 *
 * A statement is one order: two of them may concern the same turn.
 */
import * as Effect from "effect/Effect"
import { isRolledBack } from "../Lane.ts"
import type { Sql } from "../Sql.ts"
import { append, type Landed } from "./Append.ts"
import { covers, rules } from "./parts.ts"

export interface OrderRow {
  readonly ws: string
  readonly event: string
  readonly thread: string
  readonly verb: "stop" | "wait" | "continue" | "approve" | "refuse" | "spend"
  /** The agents that are named; empty: those of the words that are answered, else all in the room. */
  readonly targets: ReadonlyArray<string>
  readonly person: string
  /** Of a button. */
  readonly turn: string | null
  readonly n: number | null
  /** What `spend` and `continue` grant, in micro-dollars. */
  readonly micros: number
  /** How often these words will have been published. */
  readonly repairs: number
  /** Ids for the events this may write. */
  readonly ids: ReadonlyArray<string>
}

export interface OrderedRow {
  /** Null: it was carried out before. */
  readonly reason: string | null
  readonly stopped: ReadonlyArray<Touched>
  readonly resumed: ReadonlyArray<Touched>
  /** Agents that are asked anew by these words. */
  readonly asked: ReadonlyArray<string>
  readonly events: ReadonlyArray<Landed & { readonly kind: string; readonly body: object }>
}
export interface Touched {
  readonly turn: string
  readonly agent: string
  readonly thread: string
}

const today = `to_char(now() at time zone 'UTC', 'YYYY-MM-DD')`
const month = `to_char(now() at time zone 'UTC', 'YYYY-MM')`

const text = `
with i as (
  select * from jsonb_to_record($1::jsonb) as b(ws text, event text, thread text, verb text, targets jsonb, person text, turn text, n int,
    micros bigint, repairs int, ids jsonb)),
due as (
  select i.* from i join decision d on d.event = i.event and d.slot = '!' and d.state = 'due' for update of d),
b as (
  select 0 as ord, due.*,
    case when due.targets <> '[]' then due.targets else coalesce(
      (select jsonb_build_array(r.body->'author'->>'id') from event e join event r on r.id = e.body->>'replyTo'
       where e.id = due.event and r.body->'author'->>'kind' = 'agent'), '[]') end as named,
    ${rules("due.person")} as rules
  from due),
hit as (
  select t.id as turn, t.agent, t.thread, t.state, t.reason, t.root, t.event,
    b.verb = 'stop' or b.rules or ${covers("b.person", "t.principal")} as may
  from b join turn t on t.thread = b.thread and t.state in ('running', 'waiting') and not t.stop
  where (b.turn is null or t.id = b.turn) and (b.verb not in ('stop', 'wait', 'continue') or b.named = '[]' or b.named ? t.agent)
  order by t.id for update of t),
/* Locked, so that of two answers beside each other the later knows the other. */
asked as (
  select a.turn, a.call from approval a join hit h on a.turn = h.turn where a.answer is null order by a.turn, a.call for update of a),
answered as (
  update approval a set answer = case b.verb when 'approve' then 'yes' else 'no' end, answered_by = b.person, answered_at = now()
  from b, hit h, asked q
  where b.verb in ('approve', 'refuse') and h.may and q.turn = h.turn and a.turn = q.turn and a.call = q.call
    and (b.n is null or exists (select from step s where s.turn = a.turn and s.call = a.call and s.n = b.n))
  returning a.turn, a.call, a.agent, a.summary, a.answer),
/* Rows of the budget are locked in the one order in which every statement locks them. */
purses as (
  select u.scope, u.key, u.period from budget u
  where exists (select from b, hit h
    where b.verb in ('spend', 'continue') and h.may and h.state = 'waiting' and h.reason = 'money'
      and ((u.scope = 'root' and u.key = h.root)
        or (b.rules and u.lim + u.extra - u.spent - u.reserved < b.micros and (
          (u.scope = 'agent' and u.key = h.agent and u.period = ${today})
          or (u.scope = 'thread' and u.key = h.thread and u.period = ${today})
          or (u.scope = 'workspace' and u.key = b.ws and u.period = ${month})))))
  order by u.scope, u.key, u.period for update of u),
granted as (
  update budget u set extra = u.extra + b.micros from b, purses p
  where u.scope = p.scope and u.key = p.key and u.period = p.period
  returning u.scope),
doing as (
  select h.*,
    case when not h.may then null
      when b.verb = 'stop' then 'stop'
      when b.verb = 'wait' and h.state = 'running' then 'hold'
      when h.state = 'waiting' and h.reason = 'wait' and b.verb = 'continue' then 'resume'
      when h.state = 'waiting' and h.reason = 'money' and b.verb in ('continue', 'spend') then 'resume'
      when h.state = 'waiting' and h.reason = 'approval' and exists (select from answered a where a.turn = h.turn)
        and not exists (select from asked o where o.turn = h.turn
          and not exists (select from answered a where a.turn = o.turn and a.call = o.call)) then 'resume'
    end as what
  from hit h, b),
tu as (
  update turn t set stop = d.what = 'stop', hold = d.what = 'hold',
    state = case d.what when 'resume' then 'running' else t.state end,
    reason = case d.what when 'resume' then 'resumed' else t.reason end
  from doing d where t.id = d.turn and d.what is not null),
/* Nothing rests: those whom the last words named and did not ask, or who worked last. */
last as (
  select case when b.named <> '[]' then b.named
    else coalesce(
      (select w.body->'uncalled' from event w where w.thread = b.thread and w.kind = 'message' and w.id <> b.event
        and coalesce(w.body->'order', 'null') = 'null' order by w.pos desc limit 1),
      (select jsonb_build_array(t.agent) from turn t where t.thread = b.thread order by t.started_at desc limit 1),
      '[]') end as agents
  from b where b.verb = 'continue' and not exists (select from doing where what is not null)
    and not exists (select from hit where not may or state = 'waiting')),
du as (
  insert into decision (event, slot, thread, ws, state, repairs)
  select b.event, m.agent, b.thread, b.ws, 'due', b.repairs
  from b, last, thread t, member m
  where t.id = b.thread and m.door = t.door and last.agents ? m.agent
  on conflict do nothing returning slot),
told as (
  select row_number() over () as n, kind, body from (
    select 'approval' as kind, jsonb_build_object('kind', 'approval', 'turn', a.turn, 'agent', a.agent, 'call', a.call,
      'state', 'answered', 'summary', a.summary, 'answer', a.answer, 'by', b.person) as body
    from answered a, b
    union all
    select 'turn', jsonb_build_object('kind', 'turn', 'turn', d.turn, 'agent', d.agent, 'message', d.event, 'state', 'resumed',
      'reason', null, 'usage', null, 'cost', null, 'ms', null, 'tools', null)
    from doing d where d.what = 'resume') x),
ok as (
  select b.*, (select coalesce(jsonb_agg(jsonb_build_object('id', b.ids->>(t.n::int - 1), 'n', t.n, 'kind', t.kind, 'body', t.body) order by t.n), '[]')
    from told t where t.n <= jsonb_array_length(b.ids)) as events, null::int as last_said
  from b),
${append()},
result as (
  select b.event, case
    when exists (select from doing where what is not null) or exists (select from answered) then
      case b.verb when 'stop' then 'stopped ' when 'wait' then 'told to wait: ' when 'approve' then 'allowed ' when 'refuse' then 'refused '
        when 'spend' then 'granted more to ' else 'resumed ' end
      || (select string_agg(distinct '@' || a.name, ', ') from agent a where a.id in (
          select agent from doing where what is not null union select agent from answered))
    when exists (select from du) then 'asked again: ' || (select string_agg('@' || a.name, ', ') from agent a join du on du.slot = a.id)
    when exists (select from hit where not may) then 'not allowed: only the person the work is for, or an operator, may do this'
    when b.turn is not null then 'it was answered already'
    when b.verb = 'continue' and exists (select from hit where reason = 'approval') then 'it waits for permission: say approve or refuse'
    else case b.verb when 'stop' then 'nothing was running' when 'wait' then 'nothing was running' when 'continue' then 'nothing was waiting'
      when 'spend' then 'nothing waits for money' else 'nobody asked for permission' end
    end as reason
  from b),
fill as (
  update decision d set state = 'done', reason = r.reason, at = now() from result r where d.event = r.event and d.slot = '!')
select (select reason from result) as reason,
  (select coalesce(jsonb_agg(jsonb_build_object('turn', turn, 'agent', agent, 'thread', thread)), '[]') from doing where what = 'stop') as stopped,
  (select coalesce(jsonb_agg(jsonb_build_object('turn', turn, 'agent', agent, 'thread', thread)), '[]') from doing where what = 'resume') as resumed,
  (select coalesce(jsonb_agg(slot), '[]') from du) as asked,
  (select coalesce(jsonb_agg(e || jsonb_build_object('pos', th.base + (e->>'n')::int, 'prev', th.base + (e->>'n')::int - 1,
      'at', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by (e->>'n')::int), '[]')
    from ok b join th using (ord), jsonb_array_elements(b.events) e) as events`

export const order = (sql: Sql["Service"]) => (row: OrderRow) =>
  sql.hot<OrderedRow & object>(text, [row]).pipe(
    Effect.retry({ while: isRolledBack, times: 5 }),
    Effect.map((rows) => rows[0]!),
  )
