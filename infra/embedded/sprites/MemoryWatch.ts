/**
 * Keeps all processes of a sprite together under the memory limit. The kernel's own limit on a data segment holds for
 * one process only; here the private and shared-anonymous memory of every process is added up four times a second, and
 * the largest command of a sprite that is over is killed. Between two looks the kernel's killer of last resort has
 * these processes first in line (see `enter` in Isolation.ts).
 */
import * as fs from "node:fs"
import type { Session } from "./Session.ts"

export const watchMillis = 250

export const enforceMemory = (sprites: Iterable<ReadonlyArray<Session>>, limit: number): void => {
  for (const sessions of sprites) {
    const measured = sessions
      .map((session) => ({ session, used: memoryOf(session) }))
      .sort((a, b) => b.used - a.used)
    const total = measured.reduce((sum, { used }) => sum + used, 0)
    if (total > limit) {
      measured[0]?.session.killFor(
        `The sandbox used more than its ${Math.round(limit / 1024 ** 2)} MiB of memory; this command was killed.`,
      )
    }
  }
}

/** A namespace has its own /proc, that lists exactly the processes of one command. */
const memoryOf = (session: Session): number => {
  const first = session.namespacePid
  if (first === undefined) return 0
  const directory = `/proc/${first}/root/proc`
  let total = 0
  for (const entry of list(directory)) {
    if (!/^\d+$/.test(entry)) continue
    const status = read(`${directory}/${entry}/status`)
    for (const field of ["RssAnon", "RssShmem"]) {
      total += Number(new RegExp(`${field}:\\s*(\\d+)`).exec(status)?.[1] ?? 0) * 1024
    }
  }
  return total
}

const list = (path: string): ReadonlyArray<string> => {
  try {
    return fs.readdirSync(path)
  } catch {
    return []
  }
}

const read = (path: string): string => {
  try {
    return fs.readFileSync(path, "utf8")
  } catch {
    return ""
  }
}
