/**
 * S2 begin (P4, P5, P6, P9, P10, P12): the slot is taken by the first writer, the turn is made under the agent's lease, money
 * is reserved, the first model step is journalled as started, the placeholder is on its way, intent and turn are told.
 *
 * `began`: the turn is ours (also when this very turn began in an earlier try whose answer was lost). `granted` is null when
 * the money is used up: the turn exists and must end by saying so. `lost`: another leads, or the slot is not due.
 * `busy`: this agent has a turn in this thread. `fenced`: this process no longer owns the agent.
 */
import type { Sql } from "../Sql.ts"
import { append, appended, appending, withAppended, type Landed, type NewEvent } from "./Append.ts"
import { address, reserve, settle, transcribe } from "./parts.ts"

export interface Scope {
  readonly scope: "root" | "agent" | "thread" | "workspace"
  readonly key: string
  readonly period: string
  readonly lim: number
}

export interface TranscriptRow {
  readonly n: number
  readonly role: "user" | "assistant"
  readonly content: string
  readonly heard: number
}

export interface Release {
  readonly scopes: ReadonlyArray<Scope>
  readonly reserved: number
  readonly spent: number
}

export interface BeginRow {
  readonly ws: string
  readonly event: string
  readonly slot: string
  readonly agent: string
  readonly thread: string
  readonly door: string
  readonly fence: number
  readonly turn: string
  readonly principal: string
  readonly root: string
  readonly hop: number
  readonly segment: number
  readonly reason: string
  readonly evidence: object
  readonly wanted: number
  readonly least: number
  readonly scopes: ReadonlyArray<Scope>
  /** The frozen text of a new segment, else null. */
  readonly frozen: string | null
  readonly rows: ReadonlyArray<TranscriptRow>
  /** The name the words are signed with on the platform (empty: none); null where the door has no platform. */
  readonly signature: string | null
  readonly events: ReadonlyArray<NewEvent>
}

export interface BegunRow {
  readonly ord: number
  readonly status: "began" | "lost" | "busy" | "fenced"
  readonly granted: number | null
  /** The latest edit of the words, where one came before the decision. */
  readonly edited: {
    readonly id: string
    readonly text: string
    readonly pos: number
    readonly prev: number
  } | null
  /** The placeholder that is to be sent. */
  readonly parcel: Address | null
  readonly events: ReadonlyArray<Landed>
}

/** Where words go on the platform. */
export interface Address {
  readonly channel: string
  readonly replyTo: string | null
}

const text = `
with b as (
  select * from jsonb_to_recordset($1::jsonb) as b(ord int, ws text, event text, slot text, agent text, thread text, door text,
    fence bigint, turn text, principal text, root text, hop int, segment int, reason text, evidence jsonb, wanted bigint,
    least bigint, scopes jsonb, frozen text, rows jsonb, signature text, events jsonb, last_said int, release jsonb)),
held as (
  select b.ord, exists (
    select from turn t where t.agent = b.agent and t.thread = b.thread and t.state in ('running', 'waiting')) as busy
  from b join lease l on l.name = 'agent:' || b.agent and l.fence = b.fence for share of l),
ok as (
  update decision d set state = 'lead', agent = b.agent, turn = b.turn, reason = b.reason, evidence = b.evidence, at = now()
  from b join held h using (ord)
  where not h.busy and d.event = b.event and d.slot = b.slot and (d.state = 'due' or (d.state = 'queued' and d.agent = b.agent))
  returning b.*),
${reserve},
${settle(true)},
tu as (
  insert into turn (id, ws, event, slot, agent, thread, door, fence, principal, root, hop, segment, state)
  select b.turn, b.ws, b.event, b.slot, b.agent, b.thread, b.door, b.fence, b.principal, b.root, b.hop, b.segment, 'running'
  from ok b),
st as (
  insert into step (turn, n, kind, state, reserved, scopes)
  select b.turn, 1, 'model', 'started', g.amount, b.scopes from ok b join granted g using (ord) where g.amount is not null),
sg as (
  insert into segment (agent, thread, segment, frozen)
  select b.agent, b.thread, b.segment, b.frozen from ok b where b.frozen is not null),
${transcribe},
${address},
ob as (
  insert into outbox (turn, part, door, thread, agent, channel, reply_to, signature, state, fence)
  select b.turn, 0, b.door, b.thread, b.agent, b.channel, b.reply_to, b.signature, 'creating', b.door_fence
  from ad b join granted g using (ord) where g.amount is not null),
${append()}
select b.ord,
  case when o.ord is not null or s.turn is not null then 'began' when h.ord is null then 'fenced'
       when h.busy then 'busy' else 'lost' end as status,
  coalesce(g.amount, s.reserved)::float8 as granted,
  (select jsonb_build_object('id', e.id, 'text', e.body->>'text', 'pos', e.pos, 'prev', e.prev) from event e where e.edits = b.event
    order by e.pos desc limit 1) as edited,
  case when g.amount is not null then (select jsonb_build_object('channel', channel, 'replyTo', reply_to) from ad where ad.ord = b.ord)
    end as parcel,
  ${appended}
from b left join ok o using (ord) left join held h using (ord) left join granted g using (ord)
left join lateral (select * from step s where s.turn = b.turn and s.n = 1 limit 1) s on true
${withAppended}
order by b.ord`

export const begin = (sql: Sql["Service"]) => appending<BeginRow, BegunRow>(sql, text)
