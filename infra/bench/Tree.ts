/** What a process and all its descendants use, from /proc: CPU time and memory. */
import { readdirSync, readFileSync } from "node:fs"

/** USER_HZ: the unit of the times in /proc, 100 on every Linux that Node runs on. */
const tickMs = 10

interface Stat {
  readonly parent: number
  /** Own CPU time and that of children that have ended, in milliseconds. */
  readonly cpuMs: number
}

const statOf = (pid: number): Stat | undefined => {
  try {
    // The name may hold spaces and brackets; the fields begin behind the last one.
    const text = readFileSync(`/proc/${pid}/stat`, "utf8")
    const fields = text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number)
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15)
    return { parent: fields[1] ?? 0, cpuMs: (user + system + childUser + childSystem) * tickMs }
  } catch {
    return undefined
  }
}

/** The process and its descendants that live now. */
export const tree = (root: number): ReadonlyArray<number> => {
  const parents = new Map<number, Array<number>>()
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue
    const parent = statOf(Number(name))?.parent
    if (parent !== undefined) parents.set(parent, [...(parents.get(parent) ?? []), Number(name)])
  }
  const found = [root]
  for (const pid of found) found.push(...(parents.get(pid) ?? []))
  return found
}

export const cpuMs = (root: number): number =>
  tree(root).reduce((sum, pid) => sum + (statOf(pid)?.cpuMs ?? 0), 0)

/** Resident megabytes of one process; pages that processes share count in each. */
export const rssMb = (pid: number): number => {
  try {
    const kb = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
    return Number(kb ?? 0) / 1024
  } catch {
    return 0
  }
}

export const treeRssMb = (root: number): number => tree(root).reduce((sum, pid) => sum + rssMb(pid), 0)
