/**
 * The whole database as one stream, while everything goes on: one transaction that reads a single moment (repeatable read), a JSON
 * line with what it is, then each table as a JSON line, its rows as Postgres copies them, and `\\.` alone on a line.
 *
 * Left out: processes that live now, ways in that work once, and the list of migrations, which restoring makes itself.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Sql as Client } from "postgres"
import { connect } from "./Sql.ts"

export interface DumpHead {
  /** What opens the secrets in it. The stream is not for anybody to read. */
  readonly encryptionKey: string
  /** The last migration of the database. */
  readonly migration: number
  /** The moment that was read, ISO 8601. */
  readonly at: string
}
export interface DumpTable {
  readonly table: string
  readonly columns: ReadonlyArray<string>
}
export const endOfTable = "\\.\n"

const tablesText = `
select c.relname as table, array_agg(a.attname::text order by a.attnum) as columns
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname = 'public' and c.relkind = 'r' and c.relname not in ('process', 'entrance')
group by c.relname order by c.relname`

/** Reading ends with the scope. */
export const dump = (database: Redacted.Redacted, encryptionKey: Redacted.Redacted) =>
  Effect.map(connect(database, 1), (client) => records(client, Redacted.value(encryptionKey)))

async function* records(client: Client, encryptionKey: string): AsyncGenerator<Uint8Array> {
  const line = (value: DumpHead | DumpTable) => Buffer.from(`${JSON.stringify(value)}\n`)
  const one = await client.reserve()
  try {
    await one.unsafe("begin isolation level repeatable read read only")
    const [head] = await one.unsafe<Array<{ migration: string; at: Date }>>(
      "select (select max(created_at) from drizzle.__drizzle_migrations) as migration, now() as at",
    )
    yield line({ encryptionKey, migration: Number(head!.migration), at: head!.at.toISOString() })
    for (const { table, columns } of await one.unsafe<Array<DumpTable & object>>(tablesText)) {
      yield line({ table, columns })
      const list = columns.map((name) => `"${name}"`).join(", ")
      for await (const rows of await one.unsafe(`copy "${table}" (${list}) to stdout`).readable())
        yield rows as Buffer
      yield Buffer.from(endOfTable)
    }
    await one.unsafe("commit")
  } finally {
    one.release()
  }
}
