/**
 * Keeps all processes of a sprite together under its limits. The kernel's own limits hold for one process, or for one
 * user; here the private and shared-anonymous memory and the number of all processes are added up four times a second,
 * their CPU time once a second, and the largest command of a sprite that is over is killed. Between two looks the
 * kernel's killer of last resort has these processes first in line (see `enter` in Isolation.ts).
 */
import * as fs from "node:fs"
import type { Limits } from "../Limits.ts"
import type { Session } from "../Session.ts"

export const watchMillis = 250
/** The kernel counts CPU time for programs in hundredths of a second, on every machine. */
const tickMillis = 10

export const enforce = (
  sessions: ReadonlyArray<Session>,
  limits: Pick<Limits, "memoryBytes" | "processes" | "cpuSeconds">,
  countTime: boolean,
): void => {
  const measured = sessions.map((session) => ({ session, ...measure(session, countTime) }))
  const worst = (by: "memory" | "processes") => measured.toSorted((a, b) => b[by] - a[by])[0]?.session
  const total = (by: "memory" | "processes") => measured.reduce((sum, each) => sum + each[by], 0)
  if (total("memory") > limits.memoryBytes) {
    const megabytes = Math.round(limits.memoryBytes / 1024 ** 2)
    worst("memory")?.killFor(
      `The sandbox used more than its ${megabytes} MiB of memory; this command was killed.`,
    )
  } else if (total("processes") > limits.processes) {
    worst("processes")?.killFor(
      `The sandbox had more than its ${limits.processes} processes and threads; this command was killed.`,
    )
  }
  if (!countTime) return
  for (const { session, cpuMillis } of measured) {
    session.cpuMillis = cpuMillis
    if (cpuMillis <= limits.cpuSeconds * 1000) continue
    session.killFor(`The command used more than its ${limits.cpuSeconds} s of CPU time and was killed.`)
  }
}

/** A namespace has its own /proc, that lists exactly the processes of one command. */
const measure = (session: Session, countTime: boolean) => {
  const use = { memory: 0, processes: 0, cpuMillis: session.cpuMillis }
  const first = session.namespacePid
  if (first === undefined) return use
  let ticks = 0
  const directory = `/proc/${first}/root/proc`
  for (const entry of list(directory)) {
    if (!/^\d+$/.test(entry)) continue
    const status = read(`${directory}/${entry}/status`)
    const field = (name: string) => Number(new RegExp(`${name}:\\s*(\\d+)`).exec(status)?.[1] ?? 0)
    use.memory += (field("RssAnon") + field("RssShmem")) * 1024
    use.processes += field("Threads")
    if (countTime) ticks += ticksOf(read(`${directory}/${entry}/stat`))
  }
  if (countTime) use.cpuMillis = Math.max(use.cpuMillis, ticks * tickMillis)
  return use
}

/** Its own time and that of its children that have ended. */
const ticksOf = (stat: string): number =>
  stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 15)
    .reduce((sum, field) => sum + (Number(field) || 0), 0)

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
