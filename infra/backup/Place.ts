/** Where the company is kept: its database, and the key that opens its secrets. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { type Archive, Settings, Sql } from "../../runtime/index.ts"
import { embeddedPostgres, openHome, startPostgres } from "../embedded/index.ts"

export const keyFile = "encryption.key"

/** The key of this place, where it has one. */
export const ownKey = Effect.map(Settings, ({ encryptionKey, home }): Redacted.Redacted | undefined => {
  if (Option.isSome(encryptionKey)) return encryptionKey.value
  const file = join(home, keyFile)
  return existsSync(file) ? Redacted.make(readFileSync(file, "utf8").trim()) : undefined
})

/** What opens a backup, or the sentence that says what is missing. */
export const archiveKeys = Effect.gen(function* () {
  const { backupPassphrase } = yield* Settings
  const own = yield* ownKey
  return (kind: Archive.ArchiveKey["kind"]): Archive.ArchiveKey | string => {
    if (kind === "passphrase")
      return Option.isSome(backupPassphrase)
        ? { kind, text: Redacted.value(backupPassphrase.value) }
        : "The backup is sealed with a passphrase: set TROUPE_BACKUP_PASSPHRASE."
    return own === undefined
      ? "The backup is sealed with the company's encryption key: set ENCRYPTION_KEY to it."
      : { kind, hex: Redacted.value(own) }
  }
})

/**
 * The database of this place: yours; the embedded one of a Troupe that runs (`shared`); or the embedded one, started for this alone, which
 * holds the home until the scope closes.
 */
export const databaseOf = Effect.fnUntraced(function* (shared: boolean) {
  const { databaseUrl, home } = yield* Settings
  if (Option.isSome(databaseUrl)) return databaseUrl.value
  const running = shared ? embeddedPostgres(home) : undefined
  if (running !== undefined) {
    const answers = yield* Effect.flatMap(Sql, (sql) => sql.cold("select 1", [])).pipe(
      Effect.provide(Sql.layer(running)),
      Effect.timeout("5 seconds"),
      Effect.isSuccess,
    )
    if (answers) return running
  }
  return (yield* startPostgres(yield* openHome(home))).url
})
