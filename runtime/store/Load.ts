/**
 * A stream of Dump.ts into an empty database: the tables as they were then, and the rows in one transaction, so that a kill leaves it
 * empty. Nobody owns a lease afterwards.
 *
 * What was under way then may have been finished, and said, since. So it does not go on (P8): turns are told to stop and say so,
 * placeholders of then are forgotten, words that nobody had decided about are closed with that reason, reserved money counts as
 * spent. `resume` leaves all that as it was: for a move, when nothing ran after the backup was made.
 */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { ReservedSql } from "postgres"
import { once } from "node:events"
import { finished } from "node:stream/promises"
import { endOfTable, type DumpHead, type DumpTable } from "./Dump.ts"
import { migrateTo, newest } from "./Migrations.ts"
import { connect } from "./Sql.ts"
import { fromPostgres, StoreError } from "./StoreError.ts"

const settling = [
  "update turn set stop = true where state in ('running', 'waiting')",
  "delete from outbox o using turn t where t.id = o.turn and t.state in ('running', 'waiting') and o.state in ('creating', 'created')",
  "update outbox set state = 'done' where state in ('creating', 'created')",
  `update decision set state = 'pass', reason = 'restored from a backup: it may have been answered before', at = now()
   where state in ('due', 'queued')`,
]
const always = ["update lease set process = null"]

/** Refused without a trace when something is in the database already, or when it is of a newer version. */
export const load = Effect.fnUntraced(function* (
  database: Redacted.Redacted,
  source: AsyncIterable<Uint8Array>,
  options: {
    readonly resume: boolean
    /** Why it may not be loaded here: one sentence. */
    readonly refuse: (head: DumpHead) => string | undefined
  },
) {
  const reader = new Reader(source)
  const head = yield* Effect.tryPromise({ try: () => reader.line<DumpHead>(), catch: fromPostgres })
  if (head.migration > newest)
    return yield* refusal("The backup is of a newer version of Troupe: install that one, then restore.")
  const refused = options.refuse(head)
  if (refused !== undefined) return yield* refusal(refused)
  const client = yield* connect(database, 1)
  const [there] = yield* attempt(
    () => client<Array<{ there: boolean }>>`select to_regclass('public.workspace') is not null as there`,
  )
  if (there?.there === true) {
    const [taken] = yield* attempt(() => client`select from workspace limit 1`)
    if (taken !== undefined)
      return yield* refusal(
        "There is a company in this database already: restore into an empty one (another DATABASE_URL, another TROUPE_HOME).",
      )
  }
  yield* migrateTo(database, head.migration)
  const rows = yield* attempt(async () => {
    const one = await client.reserve()
    try {
      await one.unsafe("begin")
      const loaded = await tables(one, reader)
      for (const text of options.resume ? always : [...settling, ...always]) await one.unsafe(text)
      await one.unsafe("commit")
      return loaded
    } finally {
      one.release()
    }
  })
  return { ...head, rows }
})

const refusal = (message: string) => new StoreError({ kind: "refused", message, cause: message })

const attempt = <A>(work: () => PromiseLike<A>) =>
  Effect.tryPromise({ try: () => Promise.resolve(work()), catch: fromPostgres })

const tables = async (one: ReservedSql, reader: Reader): Promise<number> => {
  let rows = 0
  for (;;) {
    const next = await reader.lineOrEnd<DumpTable>()
    if (next === undefined) return rows
    const list = next.columns.map((name) => `"${name.replaceAll('"', '""')}"`).join(", ")
    const into = await one
      .unsafe(`copy "${next.table.replaceAll('"', '""')}" (${list}) from stdin`)
      .writable()
    const done = finished(into)
    // Told below; a broken stream must not be an error of nobody's.
    done.catch(() => {})
    for await (const part of reader.rows()) {
      for (const byte of part) if (byte === 10) rows += 1
      if (!into.write(part)) await Promise.race([once(into, "drain"), done])
    }
    into.end()
    await done
  }
}

/** Lines of JSON, and whole rows between them. */
class Reader {
  readonly #source: AsyncIterator<Uint8Array>
  #rest = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  async line<A>(): Promise<A> {
    const line = await this.lineOrEnd<A>()
    if (line === undefined) throw new Error("The backup is empty.")
    return line
  }

  async lineOrEnd<A>(): Promise<A | undefined> {
    for (;;) {
      const at = this.#rest.indexOf(10)
      if (at >= 0) {
        const text = this.#rest.subarray(0, at).toString("utf8")
        this.#rest = this.#rest.subarray(at + 1)
        return JSON.parse(text) as A
      }
      if (await this.#more()) continue
      if (this.#rest.length > 0) throw new Error("The backup is cut off.")
      return undefined
    }
  }

  /** `#rest` begins a line, always: so the end is there at its start, or after a line break. */
  async *rows(): AsyncGenerator<Uint8Array> {
    const end = Buffer.from(endOfTable)
    const inside = Buffer.from(`\n${endOfTable}`)
    for (;;) {
      if (this.#rest.subarray(0, end.length).equals(end)) {
        this.#rest = this.#rest.subarray(end.length)
        return
      }
      const at = this.#rest.indexOf(inside)
      const whole = at >= 0 ? at + 1 : this.#rest.lastIndexOf(10) + 1
      if (whole > 0) {
        yield this.#rest.subarray(0, whole)
        this.#rest = this.#rest.subarray(whole)
        if (at >= 0) continue
      }
      if (!(await this.#more())) throw new Error("The backup is cut off.")
    }
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next()
    if (next.done === true) return false
    this.#rest = Buffer.concat([this.#rest, next.value])
    return true
  }
}
