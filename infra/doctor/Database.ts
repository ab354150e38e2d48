/** The database: whether it answers, is new enough, has our clock, and whether its secrets open with our key. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Redaction, Sealed, Secrets, Settings, Sql } from "../../runtime/index.ts"
import { embeddedPostgres } from "../embedded/index.ts"
import { look, ok, quoted, wrong, type Finding } from "./Finding.ts"

/** More than this, and tokens, leases and days disagree. */
const mostSkew = 5_000

interface Server {
  readonly version: number
  readonly at: number
  readonly tables: number
}

const serverText = `
select current_setting('server_version_num')::int as version, extract(epoch from clock_timestamp())::float8 * 1000 as at,
  (select count(*) from pg_tables where schemaname = 'public' and tablename in ('secret', 'turn'))::int as tables`

export const database = Effect.fnUntraced(function* (alive: boolean) {
  const { databaseUrl, home } = yield* Settings
  const own = Option.isNone(databaseUrl)
  const url = own ? embeddedPostgres(home) : databaseUrl.value
  if (url === undefined || (own && !alive))
    return [look("database", "The embedded Postgres runs while Troupe runs.", "npm start")]
  return yield* Effect.gen(function* () {
    const sql = yield* Sql
    const before = yield* Clock.currentTimeMillis
    const asked = yield* sql.cold<Server>(serverText, []).pipe(Effect.timeout("8 seconds"), Effect.result)
    const after = yield* Clock.currentTimeMillis
    if (Result.isFailure(asked))
      return [
        wrong(
          "database",
          `Postgres does not answer (${asked.failure.message}).`,
          own ? "npx troupe status" : 'psql "$DATABASE_URL" -c "select 1"',
        ),
      ]
    const [{ version, at, tables }] = asked.success as readonly [Server]
    const findings: Array<Finding> = [
      version >= 180_000
        ? ok(
            "database",
            `Postgres ${Math.floor(version / 10_000)}.${version % 10_000}${own ? ", embedded" : ""}.`,
          )
        : wrong(
            "database",
            `Postgres is ${Math.floor(version / 10_000)}, Troupe needs 18: dump it, and restore into an 18.`,
            'pg_dumpall --dbname="$DATABASE_URL" > before-18.sql',
          ),
      clockFinding(at - before, after - before),
    ]
    if (tables === 2) findings.push(...(yield* keyFinding))
    return findings
  }).pipe(Effect.provide(Sql.layer(url)), Effect.scoped)
})

/** `ahead`: the database's clock minus ours before the question, which took `took` milliseconds. */
export const clockFinding = (ahead: number, took: number): Finding => {
  const skew = ahead < 0 ? -ahead : Math.max(0, ahead - took)
  return skew > mostSkew
    ? wrong(
        "clock",
        `The clock of this machine and of the database differ by ${Math.round(skew / 1000)} seconds.`,
        "sudo timedatectl set-ntp true",
      )
    : ok("clock", "This machine and the database agree on the time.")
}

const SealedRow = Schema.Struct({ owner: Schema.String, name: Schema.String, sealed: Sealed })

const keyFinding = Effect.gen(function* () {
  const { encryptionKey, home } = yield* Settings
  const file = join(home, "encryption.key")
  const key = Option.getOrElse(encryptionKey, () =>
    Redacted.make(existsSync(file) ? readFileSync(file, "utf8").trim() : ""),
  )
  const sql = yield* Sql
  const rows = yield* sql.cold("select owner, name, sealed from secret", [])
  const from = Option.isSome(encryptionKey) ? "ENCRYPTION_KEY" : file
  const back = Option.isSome(encryptionKey)
    ? "export ENCRYPTION_KEY="
    : `cp encryption.key.backup ${quoted(file)}`
  return yield* Effect.gen(function* () {
    const secrets = yield* Secrets
    const tried = yield* Effect.forEach(rows, (row) =>
      Schema.decodeUnknownEffect(SealedRow)(row).pipe(
        Effect.flatMap((r) =>
          secrets.open({ table: "secret", row: `${r.owner}/${r.name}`, column: "sealed" }, r.sealed),
        ),
        Effect.isSuccess,
      ),
    )
    const closed = tried.filter((opened) => !opened).length
    return [
      closed === 0
        ? ok("key", `${from} opens all ${rows.length} secrets.`)
        : wrong(
            "key",
            `${closed} of ${rows.length} secrets were sealed with another key than ${from}.`,
            back,
          ),
    ]
  }).pipe(
    Effect.provide(Secrets.layer({ current: key, former: [] }).pipe(Layer.provide(Redaction.layer))),
    Effect.catchTag("SecretsError", ({ message }) =>
      Effect.succeed([wrong("key", `${from}: ${message}`, back)]),
    ),
  )
}).pipe(Effect.catchTag("StoreError", (e) => Effect.succeed([wrong("key", e.message, "npx troupe status")])))
