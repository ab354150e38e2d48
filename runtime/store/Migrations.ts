/**
 * Brings the database to this version's schema. The migrations are generated from schema.ts and run in one transaction
 * under an advisory lock, so that a kill in the middle leaves the old schema and two starts do not race.
 */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { fileURLToPath } from "node:url"
import journal from "./migrations/meta/_journal.json" with { type: "json" }
import { connect, Sql } from "./Sql.ts"
import { fromPostgres } from "./StoreError.ts"

const folder = fileURLToPath(new URL("migrations", import.meta.url))

export const migrate = Effect.fn("Migrations.migrate")(function* (database: Redacted.Redacted) {
  const sql = yield* Sql
  const newest = journal.entries[journal.entries.length - 1]!.when
  const [known] = yield* sql
    .cold<{ at: string }>("select max(created_at) as at from drizzle.__drizzle_migrations", [])
    .pipe(
      Effect.catchIf(
        (e) => e.kind === "refused",
        () => Effect.succeed([{ at: "0" }]),
      ),
    )
  if (Number(known?.at ?? 0) >= newest) return
  yield* Effect.scoped(Effect.flatMap(connect(database, 2), run))
})

/** drizzle is loaded only when there is something to migrate; it changes the client it is given, which therefore is its own. */
const run = (client: Effect.Success<ReturnType<typeof connect>>) =>
  Effect.tryPromise({
    try: async () => {
      const [{ drizzle }, { migrate: apply }] = await Promise.all([
        import("drizzle-orm/postgres-js"),
        import("drizzle-orm/postgres-js/migrator"),
      ])
      const lock = await client.reserve()
      try {
        await lock`select pg_advisory_lock(7402101)`
        await apply(drizzle(client), { migrationsFolder: folder })
      } finally {
        await lock`select pg_advisory_unlock(7402101)`
        lock.release()
      }
    },
    catch: fromPostgres,
  })
