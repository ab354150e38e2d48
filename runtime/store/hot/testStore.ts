/** Several processes on one database, and transactions that stay open until the test ends them. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { testDatabase } from "../../../infra/testing/index.ts"
import { postgres } from "../guard.ts"
import { migrate } from "../Migrations.ts"
import { Sql, type Row } from "../Sql.ts"
import { fromPostgres } from "../StoreError.ts"

export const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runPromise(effect)

export const testStore = async (processes: number) => {
  const url = await testDatabase()
  const scope = await run(Scope.make())
  const process = () =>
    run(
      Effect.map(Layer.buildWithScope(Sql.layer(Redacted.make(url)), scope), (made) =>
        Context.get(made, Sql),
      ),
    )
  const first = await process()
  await run(Effect.provideService(migrate(Redacted.make(url)), Sql, first))
  const others = await Promise.all(Array.from({ length: processes - 1 }, process))
  const client = postgres(url, { max: 4, onnotice: () => {} })
  const rows = async <R extends object = Row>(text: string, params: ReadonlyArray<unknown> = []) =>
    (await client.unsafe(text, params as Array<never>)) as unknown as ReadonlyArray<R>

  /** A process in the middle of a statement: what it writes has happened, and is not committed. */
  const held = async () => {
    const session = await client.reserve()
    await session.unsafe("begin")
    const [backend] = await session.unsafe<Array<{ pid: number }>>("select pg_backend_pid() as pid")
    const statement = <R extends object>(text: string, params: ReadonlyArray<unknown>) =>
      Effect.tryPromise({
        try: async () => (await session.unsafe(text, params as Array<never>)) as unknown as ReadonlyArray<R>,
        catch: fromPostgres,
      })
    const end = (how: string) => async () => {
      await session.unsafe(how)
      session.release()
    }
    return {
      sql: Sql.of({ hot: statement, cold: statement }),
      pid: backend!.pid,
      commit: end("commit"),
      /** As when the connection breaks. */
      rollback: end("rollback"),
    }
  }

  /** Resolves when this many statements wait for a lock. */
  const blocked = async (count: number) => {
    const deadline = Date.now() + 10_000
    for (;;) {
      const [found] = await rows<{ n: number }>(
        "select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      )
      if (found!.n === count) return
      if (Date.now() > deadline) throw new Error(`${found!.n} statements wait for a lock, not ${count}`)
    }
  }

  return {
    processes: [first, ...others],
    rows,
    held,
    blocked,
    dispose: async () => {
      await client.end({ timeout: 2 })
      await run(Scope.close(scope, Exit.void))
    },
  }
}

export type TestStore = Awaited<ReturnType<typeof testStore>>
