/**
 * P2: events are appended to the log of their thread; the row lock of `thread` gives the positions, so commit order is position
 * order. A statement that appends is made by `appending`: a batch holds each thread once, so that the positions of a row need
 * nothing of the other rows, and what depends on the kinds of its events alone is said before it is sent.
 */
import { lane } from "../Lane.ts"
import type { Sql } from "../Sql.ts"

export interface NewEvent {
  readonly id: string
  readonly kind: string
  readonly key?: string
  readonly body: object
}

/** Where an event landed. */
export interface Landed {
  readonly id: string
  readonly pos: number
  readonly prev: number
  readonly at: string
}

/**
 * Appends `b.events` of the rows in `ok` (`ord`, `thread`, `events`, `last_said`) to their threads. Yields `th(ord, base, said)`,
 * what the head of the thread and its last words were before.
 */
export const append = (ok: "ok" | "done" = "ok") => `
  th as (
    update thread t set head = t.head + jsonb_array_length(b.events), said = coalesce(t.head + b.last_said, t.said), last_at = now()
    from ${ok} b where t.id = b.thread and b.events <> '[]'
    returning b.ord, old.head as base, t.head, old.said as said),
  ev as (
    insert into event (thread, pos, prev, id, kind, source_key, body)
    select b.thread, th.base + e.n,
      case when e.kind <> 'message' then th.base + e.n - 1 else coalesce(th.base + e.after, th.said) end, e.id, e.kind, e.key, e.body
    from ${ok} b join th using (ord),
      jsonb_to_recordset(b.events) as e(n int, after int, id text, kind text, key text, body jsonb))`

/** What `append` gave for the row `ord`: columns of the answer, and how they come to it. */
export const appended = `th.base, th.head, th.said, to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at`
export const withAppended = `left join th using (ord)`

interface Appends {
  readonly thread: string
  readonly events: ReadonlyArray<NewEvent>
}

/** What it gives: without `base` nothing was appended. */
interface Place {
  readonly base: number | null
  readonly head: number | null
  readonly said: number | null
  readonly at: string
}

/** A lane whose statement appends. */
export const appending = <
  In extends Appends,
  Out extends { readonly ord: number; readonly events: ReadonlyArray<Landed> },
>(
  sql: Sql["Service"],
  text: string,
) =>
  lane<In, Out, Omit<Out, "events"> & Place>(sql, text, {
    apart: (row) => row.thread,
    encode: placed,
    decode: ({ base, head, said, at, ...out }, { events }) =>
      ({
        ...out,
        events: base === null ? [] : landed(events.slice(0, head! - base), base, said!, at),
      }) as unknown as Out,
  })

/** Each event with its number and, for words, the number of the words before it in this row. */
const placed = <Row extends Appends>(row: Row) => {
  let last: number | null = null
  const events = row.events.map((event, i) => {
    const after = last
    if (event.kind === "message") last = i + 1
    return { ...event, n: i + 1, after }
  })
  return { ...row, events, last_said: last }
}

const landed = (
  events: ReadonlyArray<NewEvent>,
  base: number,
  said: number,
  at: string,
): ReadonlyArray<Landed> => {
  let words = said
  return events.map(({ id, kind }, i) => {
    const pos = base + i + 1
    const prev = kind === "message" ? words : pos - 1
    if (kind === "message") words = pos
    return { id, pos, prev, at }
  })
}
