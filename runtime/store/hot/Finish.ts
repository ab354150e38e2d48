/**
 * S6 finish (P7): the turn's end, its words in the room, who they address, its outbox row and its money, in one commit. It
 * happens only `where joined = taken and not stop`: words that joined after the last call are taken first, a stop goes first.
 *
 * `done`: written. `joined`: words are waiting, nothing was written. `gone`: fenced, stopped or ended already. What kept the end
 * from being written may have been committed while the statement waited for the row; then it does not know which of them it
 * was (`raced`), and is sent again.
 */
import * as Effect from "effect/Effect"
import type { Sql } from "../Sql.ts"
import { append, appended, appending, withAppended, type Landed, type NewEvent } from "./Append.ts"
import type { Address, Release, TranscriptRow } from "./Begin.ts"
import { address, anew, byKey, due, ended, settle, transcribe } from "./parts.ts"

export interface FinishRow {
  readonly ws: string
  readonly turn: string
  readonly agent: string
  readonly thread: string
  readonly door: string
  readonly segment: number
  readonly fence: number
  readonly taken: number
  readonly state: "finished" | "failed" | "stopped" | "parked"
  readonly reason: string | null
  readonly usage: object
  readonly ended: ReadonlyArray<{
    readonly n: number
    readonly state: "saved" | "failed" | "unknown"
    readonly cost: number
    readonly usage: object | null
  }>
  readonly release: ReadonlyArray<Release>
  readonly rows: ReadonlyArray<TranscriptRow>
  readonly events: ReadonlyArray<NewEvent>
  readonly due: ReadonlyArray<{ readonly event: string; readonly slot: string }>
  /** The message that is answered. */
  readonly event: string
  /** As in S2; null also when nothing is to be said. */
  readonly signature: string | null
  /** The words for the platform. */
  readonly text: string
}

export interface FinishedRow {
  readonly ord: number
  readonly status: "done" | "joined" | "gone"
  readonly events: ReadonlyArray<Landed>
  /** The outbox row with the words, where there is one. */
  readonly parcel: (Address & { readonly platformId: string | null; readonly part: number }) | null
  /** The oldest queued word for this agent in this thread. */
  readonly next: string | null
}

type Told<Status> = Omit<FinishedRow, "status"> & { readonly status: Status }

const text = `
with b as (
  select * from jsonb_to_recordset($1::jsonb) as b(ord int, ws text, turn text, agent text, thread text, segment int, fence bigint,
    taken int, state text, reason text, usage jsonb, ended jsonb, release jsonb, rows jsonb, events jsonb, last_said int, due jsonb, event text, door text,
    signature text, text text)),
ok as (
  update turn t set state = b.state, reason = b.reason, usage = b.usage, ended_at = now(), taken = b.taken,
    cost = t.cost + coalesce((select sum((e->>'cost')::bigint) from jsonb_array_elements(b.ended) e), 0)
  from b where t.id = b.turn and t.fence = b.fence and ((${byKey("t.state")} = 'running' and not t.stop and t.joined = b.taken)
      or (b.state = 'stopped' and ${byKey("t.state")} in ('running', 'waiting')))
  returning b.*),
${ended},
${settle(false)},
${transcribe},
${append()},
${due},
${address},
ob as (
  insert into outbox (turn, part, door, thread, agent, channel, reply_to, signature, state, text, fence)
  select b.turn, case when exists (select from outbox o where o.turn = b.turn and o.part = 0 and o.text is not null) then ${anew} else 0 end, b.door, b.thread, b.agent, b.channel, b.reply_to, b.signature, 'creating', b.text, b.door_fence
  from ad b
  on conflict (turn, part) do update set text = excluded.text
  returning turn, part, channel, reply_to, platform_id)
select b.ord,
  case when o.ord is not null then 'done' when t.id is null or t.state <> 'running' or t.fence <> b.fence or t.stop then 'gone'
    when t.joined <> b.taken then 'joined' else 'raced' end as status,
  (select d.event from decision d join event e on e.id = d.event
    where d.agent = b.agent and d.thread = b.thread and d.state = 'queued' order by e.pos limit 1) as next,
  (select jsonb_build_object('channel', channel, 'replyTo', reply_to, 'platformId', platform_id, 'part', part) from ob where ob.turn = b.turn) as parcel,
  ${appended}
from b left join ok o using (ord) left join turn t on t.id = b.turn ${withAppended} order by b.ord`

export const finish = (sql: Sql["Service"]) => {
  const send = appending<FinishRow, Told<FinishedRow["status"] | "raced">>(sql, text)
  const settled = (out: Told<FinishedRow["status"] | "raced">): out is FinishedRow => out.status !== "raced"
  return (row: FinishRow) => Effect.repeat(send(row), { until: settled })
}
