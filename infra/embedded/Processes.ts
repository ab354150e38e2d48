/**
 * Which processes an earlier run left behind. A pid file alone does not say: after a reboot, or in a container that was
 * started again, its number may belong to anyone, and the workers of a killed Postgres are in no file. So we ask the kernel.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"

/** The processes that work in `dir` (Postgres and all its workers stand in their data directory). Linux only, else none. */
export const processesIn = (dir: string): ReadonlyArray<number> =>
  process.platform === "linux"
    ? readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) && cwd(name) === dir ? [Number(name)] : []))
    : []

/** The command line of a live process, its words separated by spaces; undefined when there is none or it is a zombie. */
export const commandOf = (pid: number): string | undefined => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim() || undefined
  } catch {
    return undefined
  }
}

/** Sends the signal; false when there is no such process. */
export const signal = (pid: number, name: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

const cwd = (pid: string): string | undefined => {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}
