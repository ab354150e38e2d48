/**
 * File operations of the Sprites API as they are seen from inside a sandbox. This folder runs in the sandbox, as its
 * user and under its limits: the kernel resolves every link and every `..` in the sandbox's own view, so no path can
 * name a file of the host, however it is raced. It therefore imports nothing from the rest of the product.
 */
import * as fs from "node:fs/promises"
import { constants, type Stats } from "node:fs"
import * as path from "node:path"

export const home = "/home/sprite"
/** Without a mount namespace the home is elsewhere, and /home/sprite is only its name. */
const realHome = process.env["SPRITE_HOME"] ?? home

export class OperationError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export const resolved = (name: string, workingDirectory: string): string =>
  path.resolve("/", workingDirectory, name)

export const real = (name: string): string =>
  name === home || name.startsWith(`${home}/`) ? `${realHome}${name.slice(home.length)}` : name

const octal = (stats: Stats): string => (stats.mode & 0o7777).toString(8).padStart(4, "0")

export const modeOf = (text: string): number => {
  if (!/^[0-7]{1,4}$/.test(text))
    throw new OperationError("EINVAL", `The mode ${text} is not an octal number.`)
  return Number.parseInt(text, 8)
}

/** Opens a regular file; waits for nobody at a pipe. */
export const openToRead = async (name: string): Promise<fs.FileHandle> => {
  const file = await fs.open(real(name), constants.O_RDONLY | constants.O_NONBLOCK)
  return regular(file, await file.stat(), name)
}

/** Without `parents` only the immediate parent is made: this is how the client's mkdir works. */
export const openToWrite = async (name: string, parents: boolean, mode?: number): Promise<fs.FileHandle> => {
  const parent = real(path.dirname(name))
  if (parents) await fs.mkdir(parent, { recursive: true })
  else
    await fs
      .mkdir(parent)
      .catch((cause: NodeJS.ErrnoException) => (cause.code === "EEXIST" ? undefined : Promise.reject(cause)))
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NONBLOCK
  const file = await regular(await fs.open(real(name), flags, mode ?? 0o644), undefined, name)
  await file.truncate(0)
  if (mode !== undefined) await file.chmod(mode)
  return file
}

const regular = async (
  file: fs.FileHandle,
  known: Stats | undefined,
  name: string,
): Promise<fs.FileHandle> => {
  const stats = known ?? (await file.stat())
  if (stats.isFile()) return file
  await file.close()
  throw stats.isDirectory()
    ? new OperationError("EISDIR", `${name} is a directory.`)
    : new OperationError("EINVAL", `${name} is not a regular file.`)
}

export const written = async (name: string, file: fs.FileHandle) => {
  const stats = await file.stat()
  return { path: name, size: stats.size, mode: octal(stats) }
}

export const list = async (name: string, recursive: boolean, pattern: string | undefined) => {
  const stats = await fs.stat(real(name))
  if (!stats.isDirectory()) {
    const entries = [entry(path.basename(name), name, stats)]
    return { path: name, entries, count: 1 }
  }
  const entries: Array<ReturnType<typeof entry>> = []
  const visit = async (directory: string, prefix: string): Promise<void> => {
    for (const child of (await fs.readdir(real(directory))).sort()) {
      const at = path.join(directory, child)
      const found = await fs.lstat(real(at)).catch(() => undefined)
      if (found === undefined) continue
      const label = path.join(prefix, child)
      if (pattern === undefined || path.matchesGlob(label, pattern) || path.matchesGlob(child, pattern)) {
        entries.push(entry(label, at, found))
      }
      if (recursive && found.isDirectory()) await visit(at, label)
    }
  }
  await visit(name, "")
  return { path: name, entries, count: entries.length }
}

const entry = (name: string, at: string, stats: Stats) => ({
  name,
  path: at,
  type: stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "symlink" : "file",
  size: stats.size,
  mode: octal(stats),
  modTime: stats.mtime.toISOString(),
  isDir: stats.isDirectory(),
})

export const remove = async (name: string, recursive: boolean) => {
  if (name === home || name === "/") throw new OperationError("EPERM", `${name} cannot be deleted.`)
  const stats = await fs.lstat(real(name))
  if (!stats.isDirectory()) await fs.unlink(real(name))
  else if (recursive) await fs.rm(real(name), { recursive: true })
  else await fs.rmdir(real(name))
  return { deleted: [name], count: 1 }
}

export const rename = async (source: string, dest: string) => {
  await fs.rename(real(source), real(dest))
  return { source, dest }
}

export const copy = async (source: string, dest: string, recursive: boolean, preserve: boolean) => {
  if (`${dest}/`.startsWith(`${source}/`)) {
    throw new OperationError("EINVAL", `${source} cannot be copied into itself.`)
  }
  const copied: Array<{ source: string; dest: string }> = []
  let totalBytes = 0
  const visit = async (from: string, to: string, stats: Stats): Promise<void> => {
    if (stats.isDirectory()) {
      if (!recursive) throw new OperationError("EISDIR", `${from} is a directory; copy it with recursive.`)
      await fs.mkdir(real(to), { recursive: true })
      for (const child of await fs.readdir(real(from))) {
        const below = path.join(from, child)
        await visit(below, path.join(to, child), await fs.lstat(real(below)))
      }
    } else if (stats.isSymbolicLink()) {
      await fs.symlink(await fs.readlink(real(from)), real(to))
    } else if (stats.isFile()) {
      await fs.copyFile(real(from), real(to))
      totalBytes += stats.size
    } else {
      throw new OperationError("EINVAL", `${from} is not a regular file.`)
    }
    if (preserve && !stats.isSymbolicLink()) {
      await fs.chmod(real(to), stats.mode & 0o7777)
      await fs.utimes(real(to), stats.atime, stats.mtime)
    }
    if (!stats.isDirectory()) copied.push({ source: from, dest: to })
  }
  await visit(source, dest, await fs.stat(real(source)))
  return { copied, count: copied.length, totalBytes }
}

export const chmod = async (name: string, mode: number, recursive: boolean) => {
  const affected: Array<{ path: string; mode: string }> = []
  await each(name, recursive, async (at) => {
    await fs.chmod(real(at), mode)
    affected.push({ path: at, mode: mode.toString(8).padStart(4, "0") })
  })
  return { affected, count: affected.length }
}

/** The sandbox has one user. Giving a file to it succeeds; any other owner is refused by the kernel (EPERM, EINVAL). */
export const chown = async (name: string, user: unknown, group: unknown, recursive: boolean) => {
  const affected: Array<{ path: string; uid: number; gid: number }> = []
  const uid = numeric(user, process.getuid?.() ?? -1)
  const gid = numeric(group, process.getgid?.() ?? -1)
  if (uid === undefined && gid === undefined) throw new OperationError("EINVAL", "Name a uid or a gid.")
  await each(name, recursive, async (at) => {
    const stats = await fs.stat(real(at))
    await fs.chown(real(at), uid ?? stats.uid, gid ?? stats.gid)
    affected.push({ path: at, uid: uid ?? stats.uid, gid: gid ?? stats.gid })
  })
  return { affected, count: affected.length }
}

const numeric = (value: unknown, own: number): number | undefined => {
  if (value === undefined || value === null) return undefined
  if (value === "sprite") return own
  if (value === "root") return 0
  const id = Number(value)
  if (Number.isInteger(id) && id >= 0) return id
  throw new OperationError("EINVAL", `There is no user or group called ${String(value)} here.`)
}

/** The deepest first, so that a directory is still open while its contents change. Links are left alone. */
const each = async (
  name: string,
  recursive: boolean,
  change: (at: string) => Promise<void>,
): Promise<void> => {
  const stats = await fs.stat(real(name))
  if (recursive && stats.isDirectory()) {
    for (const child of await fs.readdir(real(name), { withFileTypes: true })) {
      if (!child.isSymbolicLink()) await each(path.join(name, child.name), true, change)
    }
  }
  await change(name)
}
