/**
 * Terminals. `script` (util-linux) runs inside the sandbox and makes the pseudo-terminal there, so that programs see
 * their own /dev/pts/0; sizes are set from outside, through the root directory of the sandbox.
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import type { Isolation } from "./Isolation.ts"
import { defaultPath } from "./Wire.ts"

/** `at`: a process that sees the terminal as its own first one, or the launcher itself without bubblewrap. */
export const resizeTerminal = (
  isolation: Exclude<Isolation, { _tag: "Refused" }>,
  uid: number | undefined,
  at: number,
  rows: number,
  cols: number,
): void => {
  const device =
    isolation._tag === "Unsafe" ? terminalOf(leader(at)?.pid ?? at) : `/proc/${at}/root/dev/pts/0`
  if (device === undefined || isolation.tools.stty === undefined) return
  spawn(isolation.tools.stty, ["-F", device, "rows", String(rows), "cols", String(cols)], {
    stdio: "ignore",
    env: { PATH: defaultPath },
    ...(uid === undefined || isolation._tag === "Bubblewrap" ? {} : { uid, gid: uid }),
  }).on("error", () => {})
}

/** The process groups to signal: the terminal's session leader and whoever has the foreground. */
export const foregroundGroups = (ancestor: number): ReadonlyArray<number> => {
  const found = leader(ancestor)
  return found === undefined ? [] : [...new Set([found.group, found.foreground])].filter((group) => group > 1)
}

/** The first below `ancestor` that leads a session with a terminal: the command that `script` started. */
const leader = (ancestor: number) => {
  for (const pid of descendants(ancestor)) {
    const found = stat(pid)
    if (found !== undefined && found.terminal !== 0 && found.session === pid) return { pid, ...found }
  }
  return undefined
}

/** Children, their children, and so on, from the top. */
const descendants = (pid: number): ReadonlyArray<number> => {
  const found = [pid]
  for (const parent of found) found.push(...children(parent))
  return found.slice(1)
}

const children = (pid: number): ReadonlyArray<number> =>
  read(`/proc/${pid}/task/${pid}/children`)
    .split(" ")
    .filter((text) => text !== "")
    .map(Number)

const stat = (pid: number) => {
  const text = read(`/proc/${pid}/stat`)
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number)
  const [, , group, session, terminal, foreground] = fields
  return group === undefined || session === undefined || terminal === undefined || foreground === undefined
    ? undefined
    : { group, session, terminal, foreground }
}

const terminalOf = (pid: number): string | undefined => {
  const link = join("/proc", String(pid), "fd", "0")
  return fs.existsSync(link) ? fs.readlinkSync(link) : undefined
}

/** A process that ended while we looked reads as nothing. */
const read = (path: string): string => {
  try {
    return fs.readFileSync(path, "utf8")
  } catch {
    return ""
  }
}
