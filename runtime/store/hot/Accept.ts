/**
 * S1 accept (P1, P2, P4): inbox, thread head, events and due decisions in one statement. A delivery seen before, or words
 * seen before under the same source key, write nothing. Who a reply answers, what an edit newly asks and who led this
 * person last in the room are looked up here, so that the published words say it and no agent has to ask the store.
 */
import { lane } from "../Lane.ts"
import type { Sql } from "../Sql.ts"

export interface AcceptRow {
  readonly ws: string
  readonly door: string
  readonly external_id: string
  readonly raw: unknown
  readonly message: null | {
    readonly thread: string
    readonly channel: string
    readonly title: string
    readonly id: string
    readonly key: string
    readonly person: string
    readonly edits: string | null
    readonly reply_platform: string | null
    readonly reply_key: string | null
    readonly reply_event: string | null
    readonly slots: ReadonlyArray<string>
    readonly body: object
  }
}

export interface AcceptedRow {
  readonly ord: number
  readonly duplicate: boolean
  readonly id: string | null
  readonly thread: string | null
  readonly pos: number | null
  readonly prev: number | null
  readonly at: string | null
  /** The body as it was stored, with what the statement looked up. */
  readonly body: Readonly<Record<string, unknown>> | null
}

const text = `
with b as (
  select r.ord, r.ws, r.door, r.external_id, r.raw, m.*
  from jsonb_to_recordset($1::jsonb) as r(ord int, ws text, door text, external_id text, raw jsonb, message jsonb)
  left join lateral jsonb_to_record(r.message) as m(thread text, channel text, title text, id text, key text, person text,
    edits text, reply_platform text, reply_key text, reply_event text, slots jsonb, body jsonb) on r.message is not null),
fresh as (
  insert into inbox (door, external_id, raw) select door, external_id, raw from b order by ord
  on conflict do nothing returning door, external_id),
known as (
  select b.ord, e.id, e.thread, e.pos from b
  join thread t on t.ws = b.ws and t.door = b.door and t.channel = b.channel
  join lateral (select * from event e where e.thread = t.id and e.source_key = b.key limit 1) e on true),
new as (
  select x.*, row_number() over (partition by ws, door, channel order by ord) as rn from (
    select b.*, row_number() over (partition by ws, door, channel, key order by ord) as same,
      row_number() over (partition by door, external_id order by ord) as again
    from b join fresh using (door, external_id)
    where b.id is not null and not exists (select from known k where k.ord = b.ord)) x
  where same = 1 and again = 1),
t as (
  insert into thread (id, ws, door, channel, title, head, said)
  select (array_agg(thread order by ord))[1], ws, door, channel, (array_agg(title order by ord desc))[1], count(*), count(*)
  from new group by ws, door, channel order by ws, door, channel
  on conflict (ws, door, channel) do update
    set head = thread.head + excluded.head, said = thread.head + excluded.head, title = excluded.title, last_at = now()
  returning id, ws, door, channel, coalesce(old.head, 0) as base, coalesce(old.said, 0) as said),
asked as (
  select n.*, t.id as room, (t.base + n.rn)::int as pos,
    case when n.rn = 1 then t.said else (t.base + n.rn - 1)::int end as prev,
    coalesce(e.id, e2.id) as edited,
    coalesce(ro.event, re.id, rp.id) as reply_to,
    coalesce(ro.agent, case when re.body->'author'->>'kind' = 'agent' then re.body->'author'->>'id' end) as reply_agent,
    (select u.agent from turn u where u.thread = t.id and u.principal = n.person
      and u.started_at > now() - interval '10 minutes' order by u.started_at desc limit 1) as last_lead
  from new n join t on t.ws = n.ws and t.door = n.door and t.channel = n.channel
  left join event e on e.thread = t.id and e.source_key = n.edits
  left join lateral (
    select o.id from new o where n.edits is not null
      and o.ws = n.ws and o.door = n.door and o.channel = n.channel and o.key = n.edits and o.ord < n.ord limit 1) e2 on true
  left join event re on re.id = n.reply_event and re.thread = t.id
  left join event rp on rp.thread = t.id and rp.source_key = n.reply_key
  left join lateral (
    select o.agent,
      (select m.id from event m where m.thread = o.thread and m.source_key in ('turn:' || o.turn, 'say:' || o.turn)) as event
    from outbox o
    where o.door = n.door and o.channel = n.channel and o.platform_id = n.reply_platform limit 1) ro
    on n.reply_platform is not null),
slotted as (
  select s.*, body || jsonb_build_object('slots', final, 'lastLead', last_lead, 'replyTo', reply_to, 'edits', edited) as said
  from (select a.*, case
    when a.edited is not null then (
      select coalesce(jsonb_agg(s), '[]') from jsonb_array_elements_text(a.slots) s
      where s not in ('*', '?', '!') and not exists (select from decision d where d.event = a.edited and d.slot in (s, '*') and d.agent = s)
        and not exists (select from decision d where d.event = a.edited and d.slot = s)
        and not exists (select from asked o where o.id = a.edited and o.slots ? s))
    when a.reply_agent is null or a.slots ? '!' or a.slots ? a.reply_agent
      or not exists (select from member m where m.agent = a.reply_agent and m.door = a.door) then a.slots
    else (a.slots - '*' - '?') || jsonb_build_array(a.reply_agent) end as final
  from asked a) s),
ev as (
  insert into event (thread, pos, prev, id, kind, source_key, edits, body)
  select room, pos, prev, id, 'message', key, edited, said from slotted),
du as (
  insert into decision (event, slot, thread, ws, state)
  select id, s, room, ws, 'due' from slotted, jsonb_array_elements_text(final) s)
select b.ord, (ev.id is null) and not (b.id is null and f.door is not null) as duplicate,
  coalesce(ev.id, k.id, twin.id) as id, coalesce(ev.room, k.thread, twin.room) as thread, coalesce(ev.pos, k.pos, twin.pos) as pos,
  ev.prev,
  case when ev.id is not null then to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') end as at, ev.said as body
from b left join slotted ev using (ord) left join known k on k.ord = b.ord
left join lateral (
  select s.* from slotted s where ev.id is null
    and s.ws = b.ws and s.door = b.door and s.channel = b.channel and s.key = b.key limit 1) twin on true
left join fresh f on f.door = b.door and f.external_id = b.external_id
order by b.ord`

/** One statement a call: a whole getUpdates batch. Several calls at once gather in one lane. */
export const accept = (sql: Sql["Service"]) => lane<AcceptRow, AcceptedRow>(sql, text)
