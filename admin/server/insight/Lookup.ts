/** What needs a person now, words in all rooms, and all that follows from one message. */
import * as Effect from "effect/Effect"
import { Roster, Sql } from "../../../runtime/index.ts"
import type { Cause, Found, Waiting } from "../../api/index.ts"

const iso = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const waitingText = `
select t.id as turn, t.agent, coalesce(a.name, t.agent) as name, t.thread as room, r.title, coalesce(d.name, '') as "doorName",
  coalesce(t.reason, 'approval') as reason, ${iso("t.started_at")} as since,
  (select coalesce(jsonb_agg(p.summary order by p.asked_at), '[]') from approval p where p.turn = t.id and p.answer is null) as asks
from turn t join thread r on r.id = t.thread left join agent a on a.id = t.agent left join door d on d.id = t.door
where t.ws = $1 and t.state = 'waiting' order by t.started_at limit 100`

/** Words as people write them (\`websearch_to_tsquery\`), and parts of words as they stand there. */
const searchText = `
select e.thread as room, r.title, e.pos, ${iso("e.at")} as at, e.body->'author'->>'name' as author,
  ts_headline('simple', left(e.body->>'text', 4000), websearch_to_tsquery('simple', $2),
    'StartSel=, StopSel=, MaxFragments=2, MaxWords=30, MinWords=12, FragmentDelimiter=" … "') as text
from event e join thread r on r.id = e.thread
where r.ws = $1 and e.kind = 'message'
  and (to_tsvector('simple', left(e.body->>'text', 100000)) @@ websearch_to_tsquery('simple', $2) or e.body->>'text' ilike $3)
order by e.at desc limit 50`

/** Everything with this root: what was said, the turns that answered it, their tools. */
const causeText = `
with root as (select coalesce(body->>'root', id) as id from event where id = $2),
m as (
  select e.id, e.thread, e.at, e.body from event e join thread r on r.id = e.thread, root
  where r.ws = $1 and e.kind = 'message' and (e.body->>'root' = root.id or e.id = root.id) order by e.at limit 500),
t as (select t.* from turn t where t.event in (select id from m))
select m.id, 'message' as kind, coalesce(m.body->>'turn', case when m.id = (select id from root) then null else m.body->>'replyTo' end) as parent,
  m.body->'author'->>'name' as who, left(m.body->>'text', 300) as text, null as state, ${iso("m.at")} as at, null::float8 as ms, null::float8 as dollars
from m
union all
select t.id, 'turn', t.event, coalesce(a.name, t.agent), coalesce(t.reason, ''), t.state, ${iso("t.started_at")},
  (extract(epoch from coalesce(t.ended_at, now()) - t.started_at) * 1000)::float8, t.cost / 1000000::float8
from t left join agent a on a.id = t.agent
union all
select s.turn || '/' || s.n, 'tool', s.turn, coalesce(a.name, t.agent), coalesce(s.tool, '') || ' ' || left(coalesce(s.input, ''), 200), s.state, ${iso("s.started_at")},
  (extract(epoch from coalesce(s.ended_at, now()) - s.started_at) * 1000)::float8, s.cost / 1000000::float8
from step s join t on t.id = s.turn left join agent a on a.id = t.agent where s.tool is not null
order by at, kind limit 1000`

export const lookup = Effect.gen(function* () {
  const sql = yield* Sql
  const { ws } = yield* Roster
  return {
    waiting: sql.cold<Waiting>(waitingText, [ws]),
    search: (q: string) =>
      sql.cold<Found>(searchText, [ws, q, `%${q.replaceAll(/[\\%_]/g, (c) => `\\${c}`)}%`]),
    cause: (message: string) => sql.cold<Cause>(causeText, [ws, message]),
  }
})
