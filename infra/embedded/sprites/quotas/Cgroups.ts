/**
 * One cgroup (version 2) a sprite where this process may make them: then the kernel itself holds a sprite to its memory
 * and its processes, whatever it does between two looks of ours. `open` gives the reason where it may not; the looks go
 * on in either case, because only they can say why a command was killed.
 *
 * Groups are made below this process's own group, or, for root, below the top. A group that holds processes itself cannot
 * give limits to groups below it; such a place is passed over, never rearranged.
 */
import * as fs from "node:fs"
import { join } from "node:path"
import type { Limits } from "../Limits.ts"

const needed = ["memory", "pids"]
/** Room for our own processes inside, which are no command's. */
const helpers = { bytes: 256 * 1024 ** 2, processes: 96 }

export class Cgroups {
  readonly #directory: string
  readonly #limits: Pick<Limits, "memoryBytes" | "processes">

  private constructor(directory: string, limits: Pick<Limits, "memoryBytes" | "processes">) {
    this.#directory = directory
    this.#limits = limits
  }

  /** `id` tells the groups of one home from another's. */
  static open(
    id: string,
    limits: Pick<Limits, "memoryBytes" | "processes">,
    places: ReadonlyArray<string> = candidates(),
  ): Cgroups | string {
    let reason = "there is no cgroup version 2 here"
    for (const place of places) {
      const directory = join(place, `troupe-sprites-${id}`)
      try {
        enable(place)
        fs.mkdirSync(directory, { recursive: true })
        enable(directory)
        for (const name of fs.readdirSync(directory, { withFileTypes: true })) {
          if (name.isDirectory()) removeGroup(join(directory, name.name))
        }
        return new Cgroups(directory, limits)
      } catch (cause) {
        reason = cause instanceof Error ? cause.message : String(cause)
        removeGroup(directory)
      }
    }
    return reason
  }

  /**
   * Before the process starts another. The kernel's limits lie a little above ours, so that a look, which can say why, is
   * mostly first; and what has no place in a group is still looked at.
   */
  join(sprite: string, pid: number, memoryBytes: number): void {
    const group = join(this.#directory, sprite)
    try {
      fs.mkdirSync(group, { recursive: true })
      write(group, "memory.max", memoryBytes + helpers.bytes)
      write(group, "pids.max", this.#limits.processes + helpers.processes)
      if (fs.existsSync(join(group, "memory.swap.max"))) write(group, "memory.swap.max", 0)
      write(group, "cgroup.procs", pid)
    } catch {
      return
    }
  }

  /** When nothing runs in it any more. */
  end(sprite: string): void {
    removeGroup(join(this.#directory, sprite))
  }

  close(): void {
    for (const entry of fs.readdirSync(this.#directory, { withFileTypes: true })) {
      if (entry.isDirectory()) removeGroup(join(this.#directory, entry.name))
    }
    removeGroup(this.#directory)
  }
}

const candidates = (): ReadonlyArray<string> => {
  const mount = /^\S+ (\S+) cgroup2 /m.exec(read("/proc/self/mounts"))?.[1]
  const own = /^0::(.*)$/m.exec(read("/proc/self/cgroup"))?.[1]
  if (mount === undefined || own === undefined) return []
  return [...new Set([join(mount, own), ...(process.getuid?.() === 0 ? [mount] : [])])]
}

/** Gives the groups below `place` the controllers we need; throws one sentence where it cannot. */
const enable = (place: string): void => {
  const has = (file: string) => read(join(place, file)).trim().split(/\s+/)
  const absent = needed.filter((name) => !has("cgroup.controllers").includes(name))
  if (absent.length > 0)
    throw new Error(`the controllers ${absent.join(" and ")} are not offered in ${place}`)
  const off = needed.filter((name) => !has("cgroup.subtree_control").includes(name))
  if (off.length > 0) write(place, "cgroup.subtree_control", off.map((name) => `+${name}`).join(" "))
}

const write = (group: string, file: string, value: number | string): void =>
  fs.writeFileSync(join(group, file), String(value))

const read = (path: string): string => (fs.existsSync(path) ? fs.readFileSync(path, "utf8") : "")

/** A group with processes in it stays; it is removed at the next start. */
const removeGroup = (group: string): void => {
  try {
    fs.rmdirSync(group)
  } catch {
    return
  }
}
