/**
 * Copies the files of a sandbox into a checkpoint, or a checkpoint into place. It runs in a sandbox of its own, as the
 * sprite's user, so that no link that a command plants while it copies can lead out to the host.
 *
 *     Snapshot.ts take <directory of checkpoints> <new> <previous or -> <most bytes>
 *     Snapshot.ts restore <checkpoint> <new directory> <most bytes>
 *
 * Files are cloned where the filesystem can (no bytes are copied). Where it cannot, a file that did not change since the
 * previous checkpoint becomes a hard link to the copy there: copies are never written again, only read. "Did not change"
 * is the kernel's word: the same inode with the same change time, which no command can set. Sockets, pipes and devices
 * are left out. The last line is JSON: what was copied, or `error`.
 */
import * as fs from "node:fs"
import { join } from "node:path"
import { real } from "./Operations.ts"

/** In a checkpoint and in place. */
const parts: ReadonlyArray<readonly [string, string]> = [
  ["home", real("/home/sprite")],
  // Without a mount namespace /tmp is the host's.
  ["tmp", process.env["SPRITE_TMP"] ?? "/tmp"],
]
/** A file touched this shortly before it was copied may change again within one tick of the kernel's clock. */
const settledMillis = 50

/** Path, then inode, change time and size of the file that was copied. */
type Index = Record<string, readonly [string, string, number]>

class Copy {
  files = 0
  bytes = 0
  copied = 0
  left = 0
  readonly index: Index = {}
  readonly #links = new Map<string, string>()
  readonly #previous: { readonly path: string; readonly index: Index } | undefined
  readonly #most: number

  constructor(previous: { readonly path: string; readonly index: Index } | undefined, most: number) {
    this.#previous = previous
    this.#most = most
  }

  directory(from: string, to: string, label: string): void {
    const stats = fs.lstatSync(from)
    if (!stats.isDirectory()) return
    fs.mkdirSync(to, { mode: 0o700 })
    opened(from, stats.mode, 0o500, () => {
      for (const name of fs.readdirSync(from)) {
        const source = join(from, name)
        const found = fs.lstatSync(source, { bigint: true, throwIfNoEntry: false })
        // A command may delete a file while we look.
        if (found !== undefined) this.#entry(source, join(to, name), join(label, name), found)
      }
    })
    fs.utimesSync(to, stats.atime, stats.mtime)
    fs.chmodSync(to, stats.mode & 0o7777)
  }

  #entry(from: string, to: string, label: string, stats: fs.BigIntStats): void {
    if (stats.isDirectory()) return this.directory(from, to, label)
    if (stats.isSymbolicLink()) return fs.symlinkSync(fs.readlinkSync(from), to)
    if (!stats.isFile()) return void this.left++
    this.files++
    this.bytes += Number(stats.size)
    const inode = String(stats.ino)
    const twin = stats.nlink > 1n ? this.#links.get(inode) : undefined
    if (twin !== undefined) return fs.linkSync(twin, to)
    if (stats.nlink > 1n) this.#links.set(inode, to)
    const state = [inode, String(stats.ctimeNs), Number(stats.size)] as const
    if (Date.now() - Number(stats.ctimeMs) > settledMillis) this.index[label] = state
    const before = this.#previous?.index[label]
    const kept = this.#previous === undefined ? "" : join(this.#previous.path, label)
    if (before !== undefined && before.every((value, at) => value === state[at])) {
      fs.linkSync(kept, to)
      return
    }
    this.copied += Number(stats.size)
    if (this.copied > this.#most) throw new Error("there is no room for it; delete files or checkpoints first")
    const { COPYFILE_EXCL, COPYFILE_FICLONE } = fs.constants
    opened(from, Number(stats.mode), 0o400, () => fs.copyFileSync(from, to, COPYFILE_EXCL | COPYFILE_FICLONE))
    fs.utimesSync(to, Number(stats.atimeMs) / 1000, Number(stats.mtimeMs) / 1000)
    fs.chmodSync(to, Number(stats.mode) & 0o7777)
  }
} // prettier-ignore

/** A command may have closed its own file or directory to its owner: it is open for as long as it is read. */
const opened = (path: string, mode: number, needed: number, read: () => void): void => {
  if ((mode & needed) === needed) return read()
  fs.chmodSync(path, (mode & 0o7777) | needed)
  try {
    read()
  } finally {
    fs.chmodSync(path, mode & 0o7777)
  }
}

const take = (directory: string, name: string, previous: string, most: number): Copy => {
  const path = join(directory, previous)
  const index = previous === "-" ? undefined : (JSON.parse(fs.readFileSync(join(path, "index.json"), "utf8")) as Index)
  const copy = new Copy(index === undefined ? undefined : { path, index }, most)
  const to = join(directory, name)
  fs.mkdirSync(to, { mode: 0o700 })
  for (const [part, place] of parts) copy.directory(place, join(to, part), part)
  fs.writeFileSync(join(to, "index.json"), JSON.stringify(copy.index))
  return copy
} // prettier-ignore

const restore = (checkpoint: string, to: string, most: number): Copy => {
  const copy = new Copy(undefined, most)
  for (const [part] of parts) copy.directory(join(checkpoint, part), join(to, part), part)
  return copy
}

const [operation, ...given] = process.argv.slice(2)
const [first = "", second = "", third = "", fourth = ""] = given
try {
  const { files, bytes, copied, left } =
    operation === "take" ? take(first, second, third, Number(fourth)) : restore(first, second, Number(third))
  process.stdout.write(`${JSON.stringify({ files, bytes, copied, left })}\n`)
} catch (cause) {
  process.stdout.write(
    `${JSON.stringify({ error: cause instanceof Error ? cause.message : String(cause) })}\n`,
  )
  process.exitCode = 1
}
