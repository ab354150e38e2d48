/**
 * The bridge to Postgres: two roads over one URL. `hot` is a single warm connection that pipelines prepared statements
 * in the order they were given (the lanes of the hot path); `cold` is a small pool for everything else. Neither holds
 * anything across a round trip: there are no client-side transactions, each call is one statement.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Sql as Client } from "postgres"
import { postgres } from "./guard.ts"
import { fromPostgres, type StoreError } from "./StoreError.ts"

export type Row = Readonly<Record<string, unknown>>

export class Sql extends Context.Service<
  Sql,
  {
    /** One statement on the warm connection: the lanes, and the sweeps, for which no other connection has to stay open. */
    readonly hot: <R extends object = Row>(
      text: string,
      params: ReadonlyArray<unknown>,
    ) => Effect.Effect<ReadonlyArray<R>, StoreError>
    /** One statement on the pool. */
    readonly cold: <R extends object = Row>(
      text: string,
      params: ReadonlyArray<unknown>,
    ) => Effect.Effect<ReadonlyArray<R>, StoreError>
  }
>()("troupe/store/Sql") {
  static readonly layer = (url: Redacted.Redacted) =>
    Layer.effect(
      Sql,
      Effect.gen(function* () {
        const hot = yield* connect(url, 1, keysOnly)
        const cold = yield* connect(url, 6, {}, coldIdle)
        return Sql.of({ hot: statement(hot), cold: statement(cold) })
      }),
    )
}

/**
 * The plans of the hot path do not depend on what is stored: each row is found by its key. Planned for the tables as they are at
 * start, with the hundred rows that Postgres expects of any jsonb array, it would read whole tables and indexes instead. So a
 * row costs the same wherever it lies, and reading many is never cheap.
 */
const keysOnly = {
  enable_seqscan: "off",
  enable_bitmapscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  random_page_cost: "0",
  cpu_tuple_cost: "1",
  cpu_index_tuple_cost: "1",
  jit: "off",
}

/** Seconds. A server process of 15 MB is not kept for what the sweeps ask every other second. */
const coldIdle = 3

/** A client of its own, closed with the scope. `max` connections, opened when needed, kept unless `idleSeconds` says how long. */
export const connect = (
  url: Redacted.Redacted,
  max: number,
  settings: Readonly<Record<string, string>> = {},
  idleSeconds?: number,
) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      postgres(Redacted.value(url), {
        max,
        prepare: true,
        connect_timeout: 5,
        ...(idleSeconds === undefined ? {} : { idle_timeout: idleSeconds }),
        backoff: (tries) => Math.min(0.05 * 2 ** tries, 1),
        onnotice: () => {},
        connection: { plan_cache_mode: "force_generic_plan", application_name: "troupe", ...settings },
      }),
    ),
    (client) => Effect.promise(() => client.end({ timeout: 2 })).pipe(Effect.ignore),
  )

const statement =
  (client: Client) =>
  <R extends object>(text: string, params: ReadonlyArray<unknown>) =>
    Effect.callback<ReadonlyArray<R>, StoreError>((resume) => {
      client.unsafe(text, params as Array<never>, { prepare: true }).then(
        (rows) => resume(Effect.succeed(rows as unknown as ReadonlyArray<R>)),
        (cause: unknown) => resume(Effect.fail(fromPostgres(cause))),
      )
    })
