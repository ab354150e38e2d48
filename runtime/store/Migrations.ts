/**
 * Brings the database to this version's schema. The migrations are generated from schema.ts and run in one transaction
 * under an advisory lock, so that a kill in the middle leaves the old schema and two starts do not race.
 */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import journal from "./migrations/meta/_journal.json" with { type: "json" }
import { connect, Sql } from "./Sql.ts"
import { fromPostgres } from "./StoreError.ts"

const folder = fileURLToPath(new URL("migrations", import.meta.url))

/** The migrations that this version knows, by when they were made. */
export const newest = journal.entries[journal.entries.length - 1]!.when

/** An empty database as an older version had it: for a backup of that version. */
export const migrateTo = (database: Redacted.Redacted, last: number) =>
  Effect.scoped(Effect.flatMap(connect(database, 1), (client) => run(client, last)))

export const migrate = Effect.fn("Migrations.migrate")(function* (database: Redacted.Redacted) {
  const sql = yield* Sql
  const [known] = yield* sql
    .cold<{ at: string }>("select max(created_at) as at from drizzle.__drizzle_migrations", [])
    .pipe(
      Effect.catchIf(
        (e) => e.kind === "refused",
        () => Effect.succeed([{ at: "0" }]),
      ),
    )
  if (Number(known?.at ?? 0) >= newest) return
  yield* migrateTo(database, newest)
})

/**
 * drizzle-kit writes the migrations; they are run as drizzle's own migrator would, into its table. That one reads its 180 kB
 * package.json again for each of its hundred files: a third of a second, and 100 MB that the process keeps for a long time.
 */
const run = (client: Effect.Success<ReturnType<typeof connect>>, last: number) =>
  Effect.tryPromise({
    try: () =>
      client.begin(async (tx) => {
        await tx`select pg_advisory_xact_lock(7402101)`
        await tx.unsafe(table).simple()
        const [known] = await tx<Array<{ at: string | null }>>`
          select max(created_at) as at from drizzle.__drizzle_migrations`
        for (const { tag, when } of journal.entries) {
          if (Number(known?.at ?? 0) >= when || when > last) continue
          const text = await readFile(join(folder, `${tag}.sql`), "utf8")
          const hash = createHash("sha256").update(text).digest("hex")
          await tx.unsafe(text).simple()
          await tx`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${when})`
        }
      }),
    catch: fromPostgres,
  })

const table = `
create schema if not exists drizzle;
create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`
