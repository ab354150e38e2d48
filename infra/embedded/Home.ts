/**
 * TROUPE_HOME: the directory with all embedded state, made closed to everybody else (0700), used by one Troupe at a time.
 * The lock is held by the kernel for this process (SQLite's exclusive file lock): a killed process leaves none behind,
 * and it holds between containers on one volume, where process numbers mean nothing.
 */
import * as Effect from "effect/Effect"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { dirname, join, resolve } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { EmbeddedError, HomeTaken, reason } from "./EmbeddedError.ts"

export interface Home {
  /** Absolute, without symlinks. */
  readonly path: string
  /** The content of a file that only we may read, made by `fresh` when it is not there yet. */
  readonly secret: (name: string, fresh: () => string) => Effect.Effect<string, EmbeddedError>
  /** Writes such a file, in one step. */
  readonly keep: (name: string, content: string) => Effect.Effect<void, EmbeddedError>
}

/** Opens the home, making it when absent, and holds it until the scope closes. */
export const openHome = Effect.fnUntraced(function* (given: string) {
  const path = yield* files(`TROUPE_HOME cannot be ${given}`, () => {
    // One that is there already may be more than ours: it stays as open as it is, and all that we put there is closed.
    makeDirectory(resolve(given))
    return realpathSync(given)
  })
  yield* Effect.acquireRelease(lock(path), (held) => Effect.sync(() => held.close()))
  const keep = (name: string, content: string) =>
    files(`${join(path, name)} cannot be written`, () => writePrivate(join(path, name), content))
  const secret = (name: string, fresh: () => string) =>
    files(`${join(path, name)} cannot be read or written`, () => {
      const file = join(path, name)
      if (!existsSync(file)) writePrivate(file, fresh())
      chmodSync(file, 0o600)
      return readFileSync(file, "utf8")
    })
  return { path, secret, keep } satisfies Home
})

/** Node's own recursive mkdir never returns where a file system refuses new entries by saying "no such file" (/proc). */
const makeDirectory = (path: string): void => {
  if (existsSync(path) && statSync(path).isDirectory()) return
  if (dirname(path) !== path) makeDirectory(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}

const lock = (path: string) =>
  Effect.try({
    try: () => {
      const file = join(path, "lock")
      const database = new DatabaseSync(file)
      try {
        database.exec("pragma locking_mode = exclusive; begin exclusive")
      } catch (cause) {
        database.close()
        throw cause
      }
      chmodSync(file, 0o600)
      writePrivate(join(path, "pid"), String(process.pid))
      return database
    },
    catch: (cause) => {
      if (!reason(cause).includes("locked")) {
        return new EmbeddedError({
          part: "home",
          message: `${path} cannot be locked: ${reason(cause)}`,
          cause,
        })
      }
      const holder = existsSync(join(path, "pid"))
        ? ` (process ${readFileSync(join(path, "pid"), "utf8")})`
        : ""
      return new HomeTaken({
        message: `Troupe already runs on ${path}${holder}: stop it, or set TROUPE_HOME to another directory.`,
      })
    },
  })

/** Whoever reads sees the old content or the new, and nobody else ever may read. */
const writePrivate = (file: string, content: string): void => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const half = `${file}.${process.pid}`
  writeFileSync(half, content, { mode: 0o600 })
  renameSync(half, file)
}

const files = <A>(what: string, work: () => A) =>
  Effect.try({
    try: work,
    catch: (cause) => new EmbeddedError({ part: "home", message: `${what}: ${reason(cause)}`, cause }),
  })
