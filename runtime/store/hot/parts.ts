/**
 * The pieces that several statements share, as text of common table expressions. Each expects a CTE `b` (the batch) and a
 * CTE `ok` (those rows of it that may write, with all their columns: nothing has to be joined to the batch again).
 */

/**
 * A state that is compared without help from an index over it: the row is found by its key, however many others are open.
 */
export const byKey = (state: "t.state" | "o.state") => `(${state} || '')`

/** The account of a principal, `<door>:<external user>`, and the door whose it is. */
const account = (principal: string) =>
  `i.door = split_part(${principal}, ':', 1) and i.external_user = substr(${principal}, strpos(${principal}, ':') + 1)`

/**
 * P13. Whether a principal is an owner or operator: by the person behind the account; where there is none, whoever came through
 * the locked web door, and whom the integration names as operator.
 */
export const rules = (principal: string) => `coalesce(
    (select p.role in ('owner', 'operator') from identity i join person p on p.id = i.person where ${account(principal)}),
    (select (d.type = 'web' and d.id || ':owner' = ${principal}) or exists (
       select from jsonb_array_elements_text(coalesce(d.settings->'operators', '[]')) o where d.id || ':' || o = ${principal})
     from door d where d.id = split_part(${principal}, ':', 1)),
    false)`

/** P13. Whether two principals are the same person. */
export const covers = (person: string, principal: string) => `(${person} = ${principal} or exists (
    select from identity i join identity o on o.person = i.person
    where ${account(person)} and o.door || ':' || o.external_user = ${principal}))`

/**
 * P10. Reserves `b.wanted` micro-dollars (at least `b.least`) in every scope of `b.scopes` ([{scope, key, period, lim}]) or in
 * none. Rows of `budget` are locked in one order. Yields `granted(ord, amount)`; amount is null when a scope is used up.
 */
export const reserve = `
  want as (
    select b.ord, s.scope, s.key, s.period, s.lim, b.wanted, b.least,
      coalesce(sum(b.wanted) over (partition by s.scope, s.key, s.period order by b.ord
        rows between unbounded preceding and 1 preceding), 0) as prior
    from ok b, jsonb_to_recordset(b.scopes) as s(scope text, key text, period text, lim bigint)
    where b.wanted is not null),
  have as (
    select u.* from budget u where (u.scope, u.key, u.period) in (select scope, key, period from want)
    order by u.scope, u.key, u.period for update),
  fresh_budget as (select scope, key, period from want except select scope, key, period from have),
  granted as (
    select w.ord, case when min(left_over) >= max(w.least) then least(max(w.wanted), min(left_over))::bigint end as amount
    from (select w.*, case when w.scope = 'root' then coalesce(h.lim, w.lim) else w.lim end
             + coalesce(h.extra - h.spent - h.reserved, 0) - w.prior as left_over
          from want w left join have h using (scope, key, period)) w
    group by w.ord)`

/**
 * P10. Moves money in `budget`, one change a row: what `granted` reserved is added, what `b.release` ([{scopes, reserved, spent}])
 * settles is taken from reserved and added to spent. A row that `reserve` did not find, and that another statement has made in the
 * meantime, becomes null, which is refused: the lane sends the statement again, and then it is found.
 */
export const settle = (withGrant: boolean) => `
  moved as (
    insert into budget (scope, key, period, lim, reserved, spent)
    select scope, key, period, max(lim), sum(reserved)::bigint, sum(spent)::bigint from (
      ${
        withGrant
          ? `select w.scope, w.key, w.period, w.lim, g.amount as reserved, 0 as spent
             from want w join granted g using (ord) where g.amount is not null
             union all`
          : ""
      }
      select s.scope, s.key, s.period, s.lim, -r.reserved as reserved, r.spent as spent
      from ok b, jsonb_to_recordset(b.release) as r(scopes jsonb, reserved bigint, spent bigint),
        jsonb_to_recordset(r.scopes) as s(scope text, key text, period text, lim bigint)
    ) m group by scope, key, period order by scope, key, period
    on conflict (scope, key, period) do update set
      reserved = ${
        withGrant
          ? `case when (excluded.scope, excluded.key, excluded.period) in (select scope, key, period from fresh_budget) then null
             else budget.reserved + excluded.reserved end`
          : "budget.reserved + excluded.reserved"
      }, spent = budget.spent + excluded.spent,
      lim = case when excluded.scope = 'root' then budget.lim else excluded.lim end)`

/** What a triage has reserved and put into the evidence of its decision, to be settled: `spent`, else all of it. */
export const givenUp = (evidence: string, spent = "null") => `case when ${evidence} ? 'reserved' then
    jsonb_build_array(${evidence} || jsonb_build_object('spent', coalesce(${spent}, (${evidence}->>'reserved')::bigint))) else '[]' end`

/**
 * P6. Ends `b.ended` ([{n, state, cost, usage}]), each once: a step that is not open any more was ended by a statement that whoever
 * sends this did not know of, and becomes null, which is refused. A turn that was cut off while its statement was on its way finds
 * it so.
 */
export const ended = `
  en as (
    update step s set state = case when s.state in ('started', 'pending') then e.state end, cost = e.cost, usage = e.usage, ended_at = now()
    from ok b, jsonb_to_recordset(b.ended) as e(n int, state text, cost bigint, usage jsonb)
    where s.turn = b.turn and s.n = e.n)`

/** P12. Appends `b.rows` ([{n, role, content, heard}]) to the transcript of the turn's segment. */
export const transcribe = `
  tr as (
    insert into transcript (agent, thread, segment, n, turn, role, content, heard)
    select b.agent, b.thread, b.segment, r.n, b.turn, r.role, r.content, r.heard
    from ok b, jsonb_to_recordset(b.rows) as r(n int, role text, content text, heard int))`

/**
 * The outbox part of the last words of a turn that has rested: its first message stands above what was asked since, so they are
 * said in a new one. Further parts of long words count on from either.
 */
export const anew = 500_000

/** P5. New words address agents: one due decision a slot. `b.due` is [{event, slot}]. */
export const due = `
  du as (
    insert into decision (event, slot, thread, ws, state)
    select d.event, d.slot, b.thread, b.ws, 'due'
    from ok b, jsonb_to_recordset(b.due) as d(event text, slot text))`

/**
 * Where the words of a row go on the platform: the channel of its thread and the message it answers, as the platform's own id
 * (second part of a person's source key; the id of the first part of an agent's words, of ours or outside).
 */
export const address = `
  ad as (
    select b.*, t.channel,
      case when split_part(e.source_key, ':', 1) in ('turn', 'say')
        then (select o.platform_id from outbox o where o.turn = split_part(e.source_key, ':', 2) and o.part % ${anew} = 0
          and o.platform_id is not null order by o.part desc limit 1)
        when split_part(e.source_key, ':', 1) = 'gh'
        then split_part(e.source_key, ':', 2) || '/' || split_part(e.source_key, ':', 3)
        else nullif(split_part(e.source_key, ':', 2), '') end as reply_to,
      coalesce((select fence from lease where name = 'door:' || b.door), 0) as door_fence
    from ok b join thread t on t.id = b.thread left join event e on e.id = b.event
    where b.signature is not null)`
