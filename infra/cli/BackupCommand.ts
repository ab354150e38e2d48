/**
 * `troupe backup` and `troupe restore`: the whole database of one moment, with the key that opens its secrets, in one sealed file.
 * A backup needs no downtime; restoring needs an empty place and no Troupe that runs there.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  renameSync,
  writeFileSync,
} from "node:fs"
import { join, resolve } from "node:path"
import process from "node:process"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { createGunzip, createGzip } from "node:zlib"
import { Archive, dump, load, Settings } from "../../runtime/index.ts"
import { archiveKeys, databaseOf, keyFile, ownKey } from "../backup/Place.ts"
import { CliError } from "./Client.ts"
import { json, print } from "./Output.ts"

const file = Argument.String("file").pipe(Argument.withDescription("Its path, or - for the pipe"))

const failed = (cause: unknown) =>
  new CliError({ message: cause instanceof Error ? cause.message : String(cause) })

export const backup = Command.make(
  "backup",
  { file, json },
  Effect.fnUntraced(function* (flags) {
    const own = yield* ownKey
    if (own === undefined)
      return yield* new CliError({
        message: "There is no Troupe here to back up: set TROUPE_HOME, or ENCRYPTION_KEY and DATABASE_URL.",
      })
    if (flags.file !== "-" && existsSync(flags.file))
      return yield* new CliError({ message: `${flags.file} is there already: name a new file.` })
    const { backupPassphrase } = yield* Settings
    const keyOf = yield* archiveKeys
    const key = keyOf(Option.isSome(backupPassphrase) ? "passphrase" : "master")
    if (typeof key === "string") return yield* new CliError({ message: key })
    const half = `${flags.file}.part`
    yield* Effect.scoped(
      Effect.gen(function* () {
        const rows = yield* dump(yield* databaseOf(true), own)
        const out =
          flags.file === "-" ? process.stdout : createWriteStream(half, { mode: 0o600, flush: true })
        yield* Effect.tryPromise({
          try: () =>
            pipeline(rows, createGzip(), (part) => Archive.sealStream(part, key), out, {
              end: flags.file !== "-",
            }),
          catch: failed,
        })
      }),
    )
    if (flags.file === "-") return
    yield* Effect.try({ try: () => renameSync(half, flags.file), catch: failed })
    const by = key.kind === "master" ? "the encryption key: keep it somewhere else" : "your passphrase"
    yield* print(flags.json, { file: resolve(flags.file), sealedWith: key.kind }, [
      `Wrote ${flags.file}, sealed with ${by}.`,
    ])
  }),
).pipe(Command.withDescription("Everything said, done and spent, in one sealed file; while Troupe runs"))

export const restore = Command.make(
  "restore",
  {
    file,
    resume: Flag.Boolean("resume").pipe(
      Flag.withDescription("Go on with what was under way: for a move, when nothing ran after the backup"),
      Flag.withDefault(false),
    ),
    json,
  },
  Effect.fnUntraced(function* (flags) {
    const { encryptionKey, home } = yield* Settings
    const keyOf = yield* archiveKeys
    const own = yield* ownKey
    const source = flags.file === "-" ? process.stdin : createReadStream(flags.file)
    const restored = yield* Effect.scoped(
      Effect.gen(function* () {
        const database = yield* databaseOf(false)
        const rows = createGunzip()
        // Whatever breaks on the way breaks the reading of `rows`, with its reason.
        pipeline(Readable.from(Archive.openStream(source, keyOf)), rows).catch((cause: Error) =>
          rows.destroy(cause),
        )
        return yield* load(database, rows, {
          resume: flags.resume,
          refuse: (head) =>
            own === undefined || Redacted.value(own).trim() === head.encryptionKey
              ? undefined
              : `The secrets in the backup were sealed with another key: ${Option.isSome(encryptionKey) ? "set ENCRYPTION_KEY to that one" : `remove ${join(home, keyFile)}`}.`,
        })
      }),
    )
    if (own === undefined)
      yield* Effect.try({
        try: () => {
          mkdirSync(home, { recursive: true, mode: 0o700 })
          writeFileSync(join(home, keyFile), restored.encryptionKey, { mode: 0o600, flag: "wx" })
        },
        catch: failed,
      })
    yield* print(flags.json, { at: restored.at, rows: restored.rows, resumed: flags.resume }, [
      `Restored what was at ${restored.at}: ${restored.rows} rows.`,
      flags.resume
        ? "What was under way goes on at the next start."
        : "What was under way then is stopped at the next start, and says so.",
    ])
  }),
).pipe(Command.withDescription("A backup into an empty place, where no Troupe runs"))
