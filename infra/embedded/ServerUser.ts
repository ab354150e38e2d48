/**
 * The system user that Postgres runs as when Troupe itself runs as root: Postgres refuses to run as root, and a user of
 * its own keeps a compromised server away from every file of the host and of TROUPE_HOME. Not root: no other user is needed.
 */
import { spawnSync } from "node:child_process"
import { readFileSync, statSync } from "node:fs"
import { dirname } from "node:path"

export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

const NAME = "troupe"

/** The user to drop to, or undefined when this process is not root. Creates it once. Throws when it cannot. */
export const serverUser = (): ServerUser | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const found = lookup()
  if (found !== undefined) return found
  const closed = [
    "--system",
    "--no-create-home",
    "--home-dir",
    "/nonexistent",
    "--shell",
    "/usr/sbin/nologin",
  ]
  const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` }
  const made = spawnSync("useradd", [...closed, NAME], { encoding: "utf8", env })
  // Whatever useradd said: another process may have made it in the meantime.
  const user = lookup()
  if (user === undefined) {
    const said = made.error?.message ?? made.stderr.trim()
    throw new Error(
      `Postgres does not run as root and the user "${NAME}" cannot be made (${said}); start Troupe as another user`,
    )
  }
  return user
}

/** Whether that user may pass through every directory above and including `path`. */
export const reachable = (path: string, user: ServerUser): boolean => {
  const stat = statSync(path)
  const bit = stat.uid === user.uid ? 0o100 : stat.gid === user.gid ? 0o010 : 0o001
  if (stat.isDirectory() && (stat.mode & bit) === 0) return false
  return dirname(path) === path || reachable(dirname(path), user)
}

const lookup = (): ServerUser | undefined => {
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
    const [name, , uid, gid] = line.split(":")
    if (name === NAME) return { uid: Number(uid), gid: Number(gid) }
  }
  return undefined
}
