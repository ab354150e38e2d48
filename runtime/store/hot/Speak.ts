/**
 * What an outside agent says, and what is said when it does not (P1, P2, P4, P5, P7). `speak`: inbox, thread head, the words, whom
 * they ask, the decision they fill and their outbox row, in one statement. The slot of the message they answer is led by the
 * first words that answer it; what was decided already stays so. `unanswered` gives up a slot of an outside agent.
 */
import type { Sql } from "../Sql.ts"
import { append, appended, appending, withAppended, type Landed, type NewEvent } from "./Append.ts"
import type { Address } from "./Begin.ts"
import { address, due } from "./parts.ts"

export interface SpeakRow {
  readonly ws: string
  readonly door: string
  readonly thread: string
  readonly agent: string
  /** What the words are known by: in the inbox, as their source key and in the outbox. */
  readonly word: string
  readonly raw: unknown
  /** The message that is answered. */
  readonly event: string | null
  readonly due: ReadonlyArray<{ readonly event: string; readonly slot: string }>
  /** As in S2. */
  readonly signature: string | null
  readonly text: string
  /** The words, and the intent that is written only where they fill a decision. */
  readonly events: readonly [words: NewEvent, intent: NewEvent]
}

export interface SpokenRow {
  readonly ord: number
  readonly duplicate: boolean
  /** Where the words stand; null where another statement is writing them just now. */
  readonly id: string | null
  readonly pos: number | null
  readonly parcel: Address | null
  readonly events: ReadonlyArray<Landed>
}

const speakText = `
with b as (
  select * from jsonb_to_recordset($1::jsonb) as b(ord int, ws text, door text, thread text, agent text, word text, raw jsonb, event text,
    due jsonb, signature text, text text, events jsonb, last_said int)),
known as (
  select b.ord, e.id, e.pos from b join event e on e.thread = b.thread and e.source_key = 'say:' || b.word),
fresh as (
  insert into inbox (door, external_id, raw)
  select door, 'say:' || word, raw from b where not exists (select from known k where k.ord = b.ord) order by ord
  on conflict do nothing returning door, external_id),
new as (
  select distinct on (b.door, b.word) b.* from b join fresh f on f.door = b.door and f.external_id = 'say:' || b.word
  order by b.door, b.word, b.ord),
led as (
  update decision d set state = 'lead', agent = n.agent, reason = 'answered', at = now() from new n
  where d.event = n.event and d.slot = n.agent and d.state = 'due' returning n.ord),
ok as (
  select n.ord, n.ws, n.door, n.thread, n.agent, n.word, n.event, n.due, n.signature, n.text, n.last_said,
    case when l.ord is null then n.events - 1 else n.events end as events
  from new n left join led l using (ord)),
${due},
${address},
ob as (
  insert into outbox (turn, part, door, thread, agent, channel, reply_to, signature, state, text, fence)
  select b.word, 0, b.door, b.thread, b.agent, b.channel, b.reply_to, b.signature, 'creating', b.text, b.door_fence
  from ad b),
${append()}
select b.ord, o.ord is null as duplicate, k.id, k.pos,
  (select jsonb_build_object('channel', channel, 'replyTo', reply_to) from ad where ad.ord = b.ord) as parcel,
  ${appended}
from b left join ok o using (ord) left join known k using (ord) ${withAppended} order by b.ord`

export interface UnansweredRow {
  readonly ws: string
  readonly door: string
  readonly thread: string
  readonly agent: string
  readonly event: string
  readonly reason: string
  /** What the notice is known by. */
  readonly word: string
  /** As in S2. */
  readonly signature: string | null
  readonly text: string
  /** Whom the notice asks: who invited the agent. */
  readonly due: ReadonlyArray<{ readonly event: string; readonly slot: string }>
  readonly events: ReadonlyArray<NewEvent>
}

export interface GivenUpRow {
  readonly ord: number
  readonly parcel: Address | null
  readonly events: ReadonlyArray<Landed>
}

const unansweredText = `
with b as (
  select * from jsonb_to_recordset($1::jsonb) as b(ord int, ws text, door text, thread text, agent text, event text, reason text,
    word text, signature text, text text, due jsonb, events jsonb, last_said int)),
ok as (
  update decision d set state = 'parked', agent = b.agent, reason = b.reason, at = now() from b
  where d.event = b.event and d.slot = b.agent and d.state = 'due' returning b.*),
${due},
${address},
ob as (
  insert into outbox (turn, part, door, thread, agent, channel, reply_to, signature, state, text, fence)
  select b.word, 0, b.door, b.thread, b.agent, b.channel, b.reply_to, b.signature, 'creating', b.text, b.door_fence
  from ad b),
${append()}
select b.ord, (select jsonb_build_object('channel', channel, 'replyTo', reply_to) from ad where ad.ord = b.ord) as parcel, ${appended}
from b ${withAppended} order by b.ord`

export const speak = (sql: Sql["Service"]) => appending<SpeakRow, SpokenRow>(sql, speakText)
export const unanswered = (sql: Sql["Service"]) => appending<UnansweredRow, GivenUpRow>(sql, unansweredText)
