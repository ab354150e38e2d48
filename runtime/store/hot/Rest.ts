/**
 * S5r rest and S5w remark (P6, P7, P9, P12): words of a turn that is not at its end.
 *
 * `rest`: the turn waits, without a fiber, for a permission, for money, or because it was told to. What ended is saved, tool
 * calls are journalled as pending, what is asked for is said in the room: one commit. `remark`: the turn says something and goes
 * on; it is known by its key, and said once.
 */
import type { Sql } from "../Sql.ts"
import { append, appended, appending, withAppended, type Landed, type NewEvent } from "./Append.ts"
import type { Address, Release, TranscriptRow } from "./Begin.ts"
import { address, byKey, due, ended, settle, transcribe } from "./parts.ts"

interface Words {
  readonly ws: string
  readonly turn: string
  readonly agent: string
  readonly thread: string
  readonly door: string
  readonly fence: number
  /** The message that is answered. */
  readonly event: string
  /** As in S2; null also when nothing is said. */
  readonly signature: string | null
  readonly part: number
  readonly text: string
  readonly actions: ReadonlyArray<object> | null
  /** A file that the words come with, as an attachment. */
  readonly file?: object | null
  readonly events: ReadonlyArray<NewEvent>
}

export interface RestRow extends Words {
  readonly reason: "approval" | "money" | "wait"
  readonly segment: number
  readonly taken: number
  readonly ended: ReadonlyArray<{
    readonly n: number
    readonly state: "saved" | "failed" | "unknown"
    readonly cost: number
    readonly usage: object | null
  }>
  /** Tool calls that wait; those that were journalled as started did not run. */
  readonly pending: ReadonlyArray<{
    readonly n: number
    readonly call: string
    readonly tool: string
    readonly input: string
  }>
  readonly approvals: ReadonlyArray<{
    readonly call: string
    readonly tool: string
    readonly summary: string
    readonly hash: string
  }>
  readonly release: ReadonlyArray<Release>
  readonly rows: ReadonlyArray<TranscriptRow>
  /** What the first message of the turn says from now on, where there is one without words. */
  readonly above: string
}

export interface RestedRow {
  readonly ord: number
  readonly rested: boolean
  readonly parcel: Address | null
  /** The first message of the turn, where it was waiting for words. */
  readonly first: (Address & { readonly platformId: string }) | null
  readonly events: ReadonlyArray<Landed>
}

const outbox = `
  ob as (
    insert into outbox (turn, part, door, thread, agent, channel, reply_to, signature, state, text, actions, file, fence)
    select b.turn, b.part, b.door, b.thread, b.agent, b.channel, b.reply_to, b.signature, 'creating', b.text, b.actions, b.file, b.door_fence
    from ad b
    on conflict (turn, part) do nothing)`
const parcel = `(select jsonb_build_object('channel', channel, 'replyTo', reply_to) from ad where ad.ord = b.ord) as parcel`
const words = `ws text, turn text, agent text, thread text, door text, fence bigint, event text, signature text, part int, text text,
    actions jsonb, file jsonb, events jsonb, last_said int`

const restText = `
with b as (
  select * from jsonb_to_recordset($1::jsonb) as b(ord int, ${words}, reason text, segment int, taken int, ended jsonb, pending jsonb,
    approvals jsonb, release jsonb, rows jsonb, above text)),
ok as (
  update turn t set state = 'waiting', reason = b.reason, hold = false, taken = greatest(t.taken, b.taken), segment = b.segment,
    attempts = 0,
    tools = t.tools - (select count(*) from step s where s.turn = t.id and s.kind = 'tool' and s.state = 'started'),
    cost = t.cost + coalesce((select sum((e->>'cost')::bigint) from jsonb_array_elements(b.ended) e), 0)
  from b where t.id = b.turn and t.fence = b.fence and ${byKey("t.state")} = 'running' and not t.stop
  returning b.*, t.principal),
${ended},
pe as (
  insert into step (turn, n, kind, state, call, tool, input)
  select b.turn, s.n, 'tool', 'pending', s.call, s.tool, s.input
  from ok b, jsonb_to_recordset(b.pending) as s(n int, call text, tool text, input text)
  on conflict (turn, n) do update set state = 'pending'),
ap as (
  insert into approval (turn, call, ws, thread, agent, principal, tool, summary, input_hash)
  select b.turn, a.call, b.ws, b.thread, b.agent, b.principal, a.tool, a.summary, a.hash
  from ok b, jsonb_to_recordset(b.approvals) as a(call text, tool text, summary text, hash text)
  on conflict do nothing),
${settle(false)},
${transcribe},
${append()},
${address},
${outbox},
fi as (
  update outbox o set text = b.above from ok b
  where o.turn = b.turn and o.part = 0 and o.text is null and o.platform_id is not null and b.signature is not null
  returning b.ord, o.channel, o.reply_to, o.platform_id)
select b.ord, o.ord is not null as rested, ${parcel},
  (select jsonb_build_object('channel', channel, 'replyTo', reply_to, 'platformId', platform_id) from fi where fi.ord = b.ord) as first,
  ${appended} from b left join ok o using (ord) ${withAppended} order by b.ord`

export interface RemarkRow extends Words {
  readonly due: ReadonlyArray<{ readonly event: string; readonly slot: string }>
}
export interface RemarkedRow {
  readonly ord: number
  readonly remarked: boolean
  readonly parcel: Address | null
  readonly events: ReadonlyArray<Landed>
}

const remarkText = `
with b as (select * from jsonb_to_recordset($1::jsonb) as b(ord int, ${words}, due jsonb)),
ok as (
  select b.* from b join turn t on t.id = b.turn and t.fence = b.fence and ${byKey("t.state")} = 'running' and not t.stop
  for share of t),
${append()},
${due},
${address},
${outbox}
select b.ord, o.ord is not null as remarked, ${parcel}, ${appended} from b left join ok o using (ord) ${withAppended} order by b.ord`

export const rest = (sql: Sql["Service"]) => appending<RestRow, RestedRow>(sql, restText)
export const remark = (sql: Sql["Service"]) => appending<RemarkRow, RemarkedRow>(sql, remarkText)
