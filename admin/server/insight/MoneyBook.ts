/** What was spent, by day, agent, model, room and door; what is left of the budgets. Days are UTC, as the budgets count them. */
import * as Effect from "effect/Effect"
import { Roster, Sql } from "../../../runtime/index.ts"
import type { Money } from "../../api/index.ts"

interface Row {
  readonly today: number
  readonly month: number
  readonly week: number
  readonly days: Money["days"]
  readonly agents: Money["agents"]
  readonly models: Money["models"]
  readonly rooms: Money["rooms"]
  readonly doors: Money["doors"]
  readonly budgets: Money["budgets"]
  readonly median: number | null
  readonly p95: number | null
}

const millionth = "1000000::float8"
/** Money and turns of thirty days by one thing, the dearest first. */
const by = (key: string, name: string, join = "") => `(
  select coalesce(jsonb_agg(x order by x.dollars desc, x.name), '[]') from (
    select ${key} as key, ${name} as name, (sum(t.cost) / ${millionth}) as dollars, count(*)::int as turns
    from recent t ${join} group by 1, 2 order by 3 desc limit 12) x)`

/** The model stands in what was frozen for the segment of a turn. */
const text = `
with recent as (
  select t.*, (select left(s.frozen, 200)::text from segment s where s.agent = t.agent and s.thread = t.thread and s.segment = t.segment) as frozen
  from turn t where t.ws = $1 and t.started_at > now() - interval '30 days')
select
  (select coalesce(sum(cost), 0) / ${millionth} from recent where started_at >= date_trunc('day', now() at time zone 'UTC') at time zone 'UTC') as today,
  (select coalesce(sum(cost), 0) / ${millionth} from turn where ws = $1 and started_at >= date_trunc('month', now() at time zone 'UTC') at time zone 'UTC') as month,
  (select coalesce(sum(cost), 0) / ${millionth} from recent where started_at > now() - interval '7 days') as week,
  (select jsonb_agg(jsonb_build_object('day', to_char(d, 'YYYY-MM-DD'), 'dollars', coalesce(x.dollars, 0), 'turns', coalesce(x.turns, 0)) order by d)
    from generate_series((now() at time zone 'UTC')::date - 29, (now() at time zone 'UTC')::date, '1 day') d
    left join (select (started_at at time zone 'UTC')::date as day, sum(cost) / ${millionth} as dollars, count(*)::int as turns
      from recent group by 1) x on x.day = d) as days,
  ${by("t.agent", "coalesce(a.name, t.agent)", "left join agent a on a.id = t.agent")} as agents,
  ${by('coalesce(substring(t.frozen from \'"model":"([^"]*)"\'), \'none\')', 'coalesce(substring(t.frozen from \'"model":"([^"]*)"\'), \'none\')')} as models,
  ${by("t.thread", "coalesce(r.title, t.thread)", "left join thread r on r.id = t.thread")} as rooms,
  ${by("t.door", "coalesce(d.name, t.door)", "left join door d on d.id = t.door")} as doors,
  (select coalesce(jsonb_agg(x), '[]') from (
    select b.scope, coalesce(a.name, r.title, case when b.scope = 'workspace' then 'everything' end, b.key) as name, b.period,
      (b.lim + b.extra) / ${millionth} as limit, b.spent / ${millionth} as spent, b.reserved / ${millionth} as reserved
    from budget b left join agent a on b.scope = 'agent' and a.id = b.key left join thread r on b.scope = 'thread' and r.id = b.key
    where b.scope <> 'root' and b.period in (to_char(now() at time zone 'UTC', 'YYYY-MM-DD'), to_char(now() at time zone 'UTC', 'YYYY-MM'))
    order by b.scope desc, b.spent desc limit 20) x) as budgets,
  (select percentile_cont(0.5) within group (order by cost) / ${millionth} from recent where state = 'finished') as median,
  (select percentile_cont(0.95) within group (order by cost) / ${millionth} from recent where state = 'finished') as p95`

export const moneyBook = Effect.gen(function* () {
  const sql = yield* Sql
  const { ws } = yield* Roster
  return Effect.map(sql.cold<Row>(text, [ws]), ([row]): Money => {
    const { week, median, p95, ...book } = row!
    const now = new Date()
    const left = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)).getTime() - now.getTime()
    return {
      ...book,
      forecast: book.month + (week / 7) * (left / 86_400_000),
      reply: { median, p95 },
    }
  })
})
