/**
 * Keeps the files of a sprite, its checkpoints included, under its limit of bytes and of entries. No filesystem that
 * everybody has counts by directory, so they are measured: while something runs every few seconds, and at once when so
 * much of the disk has gone that a sprite might be over. One that is over has its commands ended, and until it is under
 * again what it runs may read and delete files and write none (a file size limit of 0).
 *
 * When the disk itself is nearly full, the sprite that grew most is treated in the same way, whatever its limit.
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import type { Limits } from "../Limits.ts"
import type { Sprite, SpriteStore } from "../SpriteStore.ts"
import { defaultPath } from "../Wire.ts"

const lookMillis = 5000
/** Measuring takes at most this share of one processor. */
const share = 20
/** What others on the machine write all the time. */
const noise = { bytes: 32 * 1024 ** 2, entries: 1000 }

interface Measured {
  readonly bytes: number
  readonly entries: number
  readonly grown: number
  readonly at: number
  readonly took: number
  /** What was free on the disk then. */
  readonly free: Free
}

interface Free {
  readonly bytes: number
  readonly entries: number
}

/** Ends what runs in a sprite and says why. */
type End = (name: string, reason: string) => void

export class DiskWatch {
  readonly #store: SpriteStore
  readonly #limits: Pick<Limits, "diskBytes" | "diskEntries" | "diskReserveBytes">
  readonly #root: string
  readonly #end: End
  readonly #measured = new Map<string, Measured>()
  readonly #measuring = new Map<string, Promise<Measured>>()
  readonly #full = new Set<string>()

  constructor(
    store: SpriteStore,
    root: string,
    limits: Pick<Limits, "diskBytes" | "diskEntries" | "diskReserveBytes">,
    end: End,
  ) {
    this.#store = store
    this.#root = root
    this.#limits = limits
    this.#end = end
    store.watchers.add((name) => {
      if (store.has(name)) return
      this.#measured.delete(name)
      this.#full.delete(name)
    })
  }

  isFull(name: string): boolean {
    return this.#full.has(name)
  }

  /** Bytes that a sprite may still write. */
  async room(sprite: Sprite): Promise<number> {
    const { bytes, entries } = await this.measure(sprite.name)
    if (entries > this.#limits.diskEntries) return 0
    return Math.max(
      0,
      Math.min(this.#limits.diskBytes - bytes, this.#free().bytes - this.#limits.diskReserveBytes),
    )
  }

  /** Bytes that the disk has beyond what is left free on it. */
  spare(): number {
    return Math.max(0, this.#free().bytes - this.#limits.diskReserveBytes)
  }

  /** Looks at those in which something runs; cheap unless one of them is due. */
  look(busy: ReadonlyArray<string>): void {
    const free = this.#free()
    const now = Date.now()
    for (const name of busy) {
      if (!this.#store.has(name)) continue
      if (this.#isDue(this.#measured.get(name), now, free)) void this.measure(name)
    }
    if (free.bytes < this.#limits.diskReserveBytes) void this.#relieve(busy)
  }

  #isDue(last: Measured | undefined, now: number, free: Free): boolean {
    if (last === undefined || now - last.at > Math.max(lookMillis, last.took * share)) return true
    const { diskBytes, diskEntries } = this.#limits
    return (
      last.free.bytes - free.bytes > Math.max(noise.bytes, (diskBytes - last.bytes) / 2) ||
      last.free.entries - free.entries > Math.max(noise.entries, (diskEntries - last.entries) / 2)
    )
  }

  /** Measures it, and ends what runs in it if it is over. */
  measure(name: string): Promise<Measured> {
    const measuring = this.#measuring.get(name) ?? this.#measure(name)
    this.#measuring.set(name, measuring)
    return measuring
  }

  async #measure(name: string): Promise<Measured> {
    const begun = Date.now()
    const free = this.#free()
    const sprite = this.#store.get(name)
    const { home, tmp } = this.#store.directories(sprite)
    const paths = [home, tmp, this.#store.file(name, "checkpoints"), this.#store.file(name, "restoring")]
    const [bytes, entries] = await used(paths.filter((path) => fs.existsSync(path)))
    const at = Date.now()
    const grown = bytes - (this.#measured.get(name)?.bytes ?? 0)
    const measured = { bytes, entries, grown, at, took: at - begun, free }
    this.#measuring.delete(name)
    if (!this.#store.has(name)) return measured
    this.#measured.set(name, measured)
    const { diskBytes, diskEntries } = this.#limits
    if (bytes > diskBytes) this.#close(name, `are larger than its ${Math.round(diskBytes / 1024 ** 2)} MiB`)
    else if (entries > diskEntries)
      this.#close(name, `are more than its ${diskEntries} files and directories`)
    else if (free.bytes > this.#limits.diskReserveBytes) this.#full.delete(name)
    return measured
  }

  async #relieve(busy: ReadonlyArray<string>): Promise<void> {
    const open = busy.filter((name) => !this.#full.has(name) && !this.#measuring.has(name))
    const measured = await Promise.all(open.map(async (name) => ({ name, ...(await this.measure(name)) })))
    const worst = measured.toSorted((a, b) => b.grown - a.grown)[0]
    if (worst === undefined || this.#free().bytes > this.#limits.diskReserveBytes) return
    this.#close(worst.name, "grew while the disk of this machine is nearly full")
  }

  #close(name: string, why: string): void {
    this.#full.add(name)
    this.#end(
      name,
      `The files of the sandbox ${why}; its commands were ended. Delete files: until then nothing can be written.`,
    )
  }

  #free(): Free {
    try {
      const { bavail, bsize, ffree } = fs.statfsSync(this.#root)
      return { bytes: bavail * bsize, entries: ffree }
    } catch {
      // Somebody removed the home while it is used: nothing can be written there anyhow.
      return { bytes: Number.POSITIVE_INFINITY, entries: Number.POSITIVE_INFINITY }
    }
  }
}

/**
 * Bytes and entries below directories that a sandbox may change meanwhile: links are not followed, and what a sandbox
 * has shut to its owner is opened first, so that it hides nothing.
 */
const used = (paths: ReadonlyArray<string>): Promise<readonly [number, number]> => {
  const { promise, resolve } = Promise.withResolvers<readonly [number, number]>()
  // `--inodes` is GNU's; where it is unknown files are not counted. Totals come also when a file vanished on the way.
  const script = `measure() { echo bytes; du -s -x -k "$@"; s=$?; echo entries; du -s -x --inodes "$@"; return $s; }
    measure "$@" 2>/dev/null || { find "$@" -xdev -type d ! -perm -u+rx -exec chmod u+rx {} +; measure "$@"; } 2>/dev/null`
  const child = spawn("/bin/sh", ["-c", script, "measure", ...paths], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { PATH: defaultPath },
  })
  let text = ""
  child.stdout.on("data", (bytes: Buffer) => (text += bytes.toString("latin1")))
  child
    .on("error", () => resolve([0, 0]))
    .on("close", () => {
      const [bytes = "", entries = ""] = (text.split("bytes\n").at(-1) ?? "").split("entries\n")
      const sum = (lines: string) =>
        lines.split("\n").reduce((total, line) => total + (Number.parseInt(line, 10) || 0), 0)
      resolve([sum(bytes) * 1024, sum(entries)])
    })
  return promise
} // prettier-ignore
