/**
 * Gather while busy: one statement is in flight, rows that arrive meanwhile go together in the next. There is no timer,
 * so an idle lane adds nothing and a burst becomes group commits. A statement takes one jsonb array as `$1`, each
 * element carrying `ord`; its rows answer by `ord`.
 *
 * Rows that must not meet in one statement are kept apart by a key; those of one key go in the order they came.
 *
 * A batch that is refused is repeated row by row, so that one bad row fails alone. A batch that finds the store
 * unavailable fails whole: whether it committed is unknown, so every statement must be safe to repeat. A batch that lost
 * a deadlock against another process did not commit, and is sent again; so is one that met what another made in that moment and
 * it could not see yet: the same words, or a budget (parts.ts).
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Sql } from "./Sql.ts"
import type { StoreError } from "./StoreError.ts"

/** Rows in one statement: enough for a burst, few enough to keep one commit short. */
const most = 200

interface Waiting<In, Out> {
  readonly row: In
  readonly resume: (exit: Effect.Effect<Out, StoreError>) => void
}

export interface Lane<In, Out> {
  (row: In): Effect.Effect<Out, StoreError>
  /** Rows that belong together go into the same statement, up to its size; each has its own answer. */
  readonly all: (rows: ReadonlyArray<In>) => ReadonlyArray<Effect.Effect<Out, StoreError>>
}

export interface Manner<In, Out, Raw> {
  /** Of the rows with one key, one goes at a time. */
  readonly apart?: (row: In) => string
  /** The row as the statement reads it. */
  readonly encode?: (row: In) => object
  /** The answer, from what the statement gave for the row. */
  readonly decode: (raw: Raw, row: In) => Out
}

/** Rows as they are, in any company. */
const plain = { decode: <A>(row: A): A => row }

export function lane<In extends object, Out extends { readonly ord: number }>(
  sql: Sql["Service"],
  text: string,
): Lane<In, Out>
export function lane<In extends object, Out, Raw extends { readonly ord: number }>(
  sql: Sql["Service"],
  text: string,
  manner: Manner<In, Out, Raw>,
): Lane<In, Out>
export function lane<In extends object, Out, Raw extends { readonly ord: number }>(
  sql: Sql["Service"],
  text: string,
  manner: Manner<In, Out, Raw> = plain as never,
): Lane<In, Out> {
  const { apart, encode = (row: In): object => row, decode } = manner
  let waiting: Array<Waiting<In, Out>> = []
  let busy = false

  const send = (rows: ReadonlyArray<In>) =>
    Effect.retry(
      Effect.suspend(() => sql.hot<Raw>(text, [rows.map((row, ord) => ({ ...encode(row), ord }))])),
      {
        while: isRolledBack,
        times: 5,
      },
    )

  const answer = (batch: ReadonlyArray<Waiting<In, Out>>, rows: ReadonlyArray<Raw>) => {
    const byOrd = new Map(rows.map((row) => [row.ord, row]))
    batch.forEach((w, ord) => w.resume(Effect.sync(() => decode(byOrd.get(ord)!, w.row))))
  }

  const alone = (w: Waiting<In, Out>) =>
    Effect.match(send([w.row]), {
      onSuccess: (rows) => answer([w], rows),
      onFailure: (error) => w.resume(Effect.fail(error)),
    })

  const next = (): ReadonlyArray<Waiting<In, Out>> => {
    const taken = new Set<string>()
    const fits = ({ row }: Waiting<In, Out>, batch: ReadonlyArray<unknown>) => {
      if (batch.length === most) return false
      if (apart === undefined) return true
      const key = apart(row)
      return !taken.has(key) && taken.add(key)
    }
    const batch: Array<Waiting<In, Out>> = []
    waiting = waiting.filter((w) => !(fits(w, batch) && batch.push(w)))
    return batch
  }

  const flush = (): void => {
    if (busy || waiting.length === 0) return
    const batch = next()
    busy = true
    const whole = Effect.matchEffect(send(batch.map((w) => w.row)), {
      onSuccess: (rows) => Effect.sync(() => answer(batch, rows)),
      onFailure: (error) =>
        error.kind === "refused" && batch.length > 1
          ? Effect.forEach(batch, alone, { discard: true })
          : Effect.sync(() => batch.forEach((w) => w.resume(Effect.fail(error)))),
    })
    Effect.runCallback(whole, {
      onExit: () => {
        busy = false
        flush()
      },
    })
  }

  const enter = (w: Waiting<In, Out>) => {
    waiting.push(w)
    // A microtask later, so that everything told in the same turn of the event loop goes together.
    if (!busy && waiting.length === 1) queueMicrotask(flush)
  }

  return Object.assign((row: In) => Effect.callback<Out, StoreError>((resume) => enter({ row, resume })), {
    all: (rows: ReadonlyArray<In>) =>
      rows.map((row) => {
        const answer = Deferred.makeUnsafe<Out, StoreError>()
        enter({ row, resume: (exit) => Deferred.doneUnsafe(answer, exit) })
        return Deferred.await(answer)
      }),
  })
}

/** Postgres has taken the statement back whole, and it may succeed now: a deadlock, or what another has made meanwhile. */
export const isRolledBack = ({ cause }: StoreError): boolean => {
  if (typeof cause !== "object" || cause === null || !("code" in cause)) return false
  const { code, table_name, constraint_name } = cause as Readonly<Record<string, unknown>>
  switch (code) {
    case "40P01":
    case "40001":
      return true
    case "23502":
      return table_name === "budget"
    case "23505":
      return constraint_name === "event_source"
    default:
      return false
  }
}
