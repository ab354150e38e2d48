/**
 * S3 said and S7 delivered (P8, P9): the door's own statements, fenced by the lease of the door. S3 commits the id of a
 * placeholder before its first edit; S7 closes the row and tells the room where the words are. `parts` adds the further
 * messages of a long answer before any of them is sent; the same cut twice is the same rows.
 *
 * A row that was written in the moment its door was taken over has the fence of the former owner: the first write of the new
 * owner raises it.
 */
import { lane } from "../Lane.ts"
import type { Sql } from "../Sql.ts"
import { append, appended, appending, withAppended, type Landed, type NewEvent } from "./Append.ts"
import { byKey } from "./parts.ts"

export interface SaidRow {
  readonly turn: string
  readonly part: number
  readonly fence: number
  readonly platform_id: string
}

const saidText = `
with b as (select * from jsonb_to_recordset($1::jsonb) as b(ord int, turn text, part int, fence bigint, platform_id text)),
ok as (
  update outbox o set platform_id = b.platform_id, state = 'created', fence = b.fence from b
  where o.turn = b.turn and o.part = b.part and o.fence <= b.fence and ${byKey("o.state")} in ('creating', 'created') returning b.ord, o.text)
select b.ord, o.ord is not null as written, o.text from b left join ok o using (ord) order by b.ord`

export interface DeliveredRow {
  readonly turn: string
  readonly part: number
  readonly thread: string
  readonly door: string
  readonly fence: number
  readonly state: "done" | "gone"
  readonly events: ReadonlyArray<NewEvent>
}

const deliveredText = `
with b as (
  select * from jsonb_to_recordset($1::jsonb) as b(ord int, turn text, part int, thread text, fence bigint, state text, events jsonb, last_said int)),
ok as (
  update outbox o set state = b.state, fence = b.fence from b
  where o.turn = b.turn and o.part = b.part and o.fence <= b.fence and ${byKey("o.state")} in ('creating', 'created') returning b.*),
${append()}
select b.ord, o.ord is not null as written, ${appended} from b left join ok o using (ord) ${withAppended} order by b.ord`

export interface PartRow {
  readonly turn: string
  readonly part: number
  readonly fence: number
  readonly text: string
}

const partsText = `
with b as (select * from jsonb_to_recordset($1::jsonb) as b(ord int, turn text, part int, fence bigint, text text)),
ok as (
  insert into outbox (turn, part, door, thread, agent, channel, reply_to, signature, state, text, fence)
  select b.turn, b.part, o.door, o.thread, o.agent, o.channel, null, '', 'creating', b.text, b.fence
  from b join outbox o on o.turn = b.turn and o.part = 0 and o.fence <= b.fence
  on conflict do nothing returning turn, part)
select b.ord, true as written from b order by b.ord`

export interface WrittenRow {
  readonly ord: number
  readonly written: boolean
}

export const said = (sql: Sql["Service"]) =>
  lane<SaidRow, WrittenRow & { readonly text: string | null }>(sql, saidText)
export const delivered = (sql: Sql["Service"]) =>
  appending<DeliveredRow, WrittenRow & { readonly events: ReadonlyArray<Landed> }>(sql, deliveredText)
export const parts = (sql: Sql["Service"]) => lane<PartRow, WrittenRow>(sql, partsText)

/**
 * The relay's cursor; the highest wins. It is written late anyway, and what stands behind it is published again under the same
 * id: so this one commit does not wait for the disk.
 */
export const published = (sql: Sql["Service"]) =>
  lane<{ readonly thread: string; readonly pos: number }, WrittenRow>(
    sql,
    `with b as (select * from jsonb_to_recordset($1::jsonb) as b(ord int, thread text, pos int)),
    up as (
      update thread t set published = c.pos from (select thread, max(pos) as pos from b group by thread) c
      where t.id = c.thread and t.published < c.pos)
    select b.ord, set_config('synchronous_commit', 'off', true) = 'off' as written from b`,
  )
