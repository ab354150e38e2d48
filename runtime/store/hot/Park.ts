/**
 * Stop and park: the two ends that do not come from a running turn. `stop` marks a turn, after which none of its statements
 * is written but the one that ends it as stopped; whoever runs it is told after the commit. `park` gives a word up (P11): its
 * decision is filled by a turn that never ran, and the room is told why (P7, P8), in one statement.
 */
import { lane } from "../Lane.ts"
import type { Sql } from "../Sql.ts"
import { append, appended, appending, withAppended, type Landed, type NewEvent } from "./Append.ts"
import type { Address } from "./Begin.ts"
import { address, due } from "./parts.ts"

export interface StopRow {
  readonly turn: string
}
export interface StoppedRow {
  readonly ord: number
  /** Whom to tell; null when the turn has ended already. */
  readonly agent: string | null
  readonly thread: string | null
}

const stopText = `
with b as (select * from jsonb_to_recordset($1::jsonb) as b(ord int, turn text)),
ok as (
  update turn t set stop = true from (select distinct turn from b) s
  where t.id = s.turn and t.state in ('running', 'waiting') returning t.id, t.agent, t.thread)
select b.ord, ok.agent, ok.thread from b left join ok on ok.id = b.turn order by b.ord`

export interface ParkRow {
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
  readonly reason: string
  /** As in S2. */
  readonly signature: string | null
  readonly text: string
  /** Whom the notice asks. */
  readonly due: ReadonlyArray<{ readonly event: string; readonly slot: string }>
  readonly events: ReadonlyArray<NewEvent>
}
export interface ParkedRow {
  readonly ord: number
  readonly parked: boolean
  readonly parcel: Address | null
  readonly events: ReadonlyArray<Landed>
}

const parkText = `
with b as (
  select * from jsonb_to_recordset($1::jsonb) as b(ord int, ws text, event text, slot text, agent text, thread text, door text,
    fence bigint, turn text, principal text, root text, hop int, reason text, signature text, text text, due jsonb, events jsonb, last_said int)),
held as (
  select b.* from b join lease l on l.name = 'agent:' || b.agent and l.fence = b.fence for share of l),
ok as (
  update decision d set state = 'parked', agent = b.agent, turn = b.turn, reason = b.reason, at = now()
  from held b
  where d.event = b.event and d.slot = b.slot and (d.state = 'due' or (d.state = 'queued' and d.agent = b.agent))
  returning b.*),
tu as (
  insert into turn (id, ws, event, slot, agent, thread, door, fence, principal, root, hop, segment, state, reason, ended_at)
  select b.turn, b.ws, b.event, b.slot, b.agent, b.thread, b.door, b.fence, b.principal, b.root, b.hop, 0, 'parked', b.reason, now()
  from ok b),
${address},
ob as (
  insert into outbox (turn, part, door, thread, agent, channel, reply_to, signature, state, text, fence)
  select b.turn, 0, b.door, b.thread, b.agent, b.channel, b.reply_to, b.signature, 'creating', b.text, b.door_fence
  from ad b),
${append()},
${due}
select b.ord, o.ord is not null as parked,
  case when o.ord is not null then (select jsonb_build_object('channel', channel, 'replyTo', reply_to) from ad where ad.ord = b.ord) end as parcel,
  ${appended}
from b left join ok o using (ord) ${withAppended} order by b.ord`

export const stop = (sql: Sql["Service"]) => lane<StopRow, StoppedRow>(sql, stopText)
export const park = (sql: Sql["Service"]) => appending<ParkRow, ParkedRow>(sql, parkText)
