/**
 * Checkpoints of a sprite: what its files were. A checkpoint is taken while commands run; restoring one ends them, puts
 * every file back and leaves checkpoints, policies and services alone. Copies are made inside (agent/Snapshot.ts).
 * A restore is made beside the files and then put in their place; a server that dies in between finishes or drops it at
 * its next start (`SpriteStore`), so a sprite never has half of each.
 */
import * as fs from "node:fs"
import { join } from "node:path"
import { agentDirectory } from "../Agents.ts"
import type { Launcher } from "../Launcher.ts"
import type { Machines } from "../Machines.ts"
import type { DiskWatch } from "../quotas/DiskWatch.ts"
import type { Sprite } from "../SpriteStore.ts"
import { defaultPath, home, invalid, jsonObject, notFound } from "../Wire.ts"

export interface Checkpoint {
  readonly id: string
  readonly create_time: string
  readonly comment?: string
  /** The one that the files came from. */
  readonly source_id?: string
}

interface Book {
  readonly next: number
  readonly current: string | undefined
  readonly checkpoints: ReadonlyArray<Checkpoint>
}

export interface Copied {
  readonly files: number
  readonly bytes: number
  readonly copied: number
  readonly left: number
}

const most = 100
const empty: Book = { next: 0, current: undefined, checkpoints: [] }

export class Checkpoints {
  readonly #launcher: Launcher
  readonly #machines: Machines
  readonly #disk: DiskWatch
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(launcher: Launcher, machines: Machines, disk: DiskWatch) {
    this.#launcher = launcher
    this.#machines = machines
    this.#disk = disk
  }

  /** The newest first. */
  list(sprite: Sprite): ReadonlyArray<Checkpoint> {
    return this.#book(sprite).checkpoints.toReversed()
  }

  get(sprite: Sprite, id: string): Checkpoint {
    const found = this.#book(sprite).checkpoints.find((checkpoint) => checkpoint.id === id)
    if (found === undefined) throw notFound(`checkpoint ${id} of ${sprite.name}`)
    return found
  }

  /** Throws what a client should be told before the work begins. */
  admit(sprite: Sprite): void {
    if (this.#book(sprite).checkpoints.length >= most)
      throw invalid(`${sprite.name} has ${most} checkpoints; delete one of them first.`)
  }

  create(sprite: Sprite, comment: string | undefined): Promise<Checkpoint & { readonly copied: Copied }> {
    return this.#inTurn(sprite.name, async () => {
      await this.#launcher.prepare(sprite)
      const { next, current, checkpoints } = this.#book(sprite)
      const id = `v${next}`
      const directory = this.#directory(sprite)
      const previous = checkpoints.at(-1)?.id ?? "-"
      const room = await this.#disk.room(sprite)
      fs.rmSync(join(directory, ".new"), { recursive: true, force: true })
      const copied = await this.#run(
        sprite,
        [{ from: directory, inside: "/run/checkpoints", writable: true }],
        (at) => ["take", at(directory), ".new", previous, String(room)],
      )
      const checkpoint: Checkpoint = {
        id,
        create_time: new Date().toISOString(),
        ...(comment === undefined || comment === "" ? {} : { comment }),
        ...(current === undefined ? {} : { source_id: current }),
      }
      fs.renameSync(join(directory, ".new"), join(directory, id))
      this.#write(sprite, { next: next + 1, current: id, checkpoints: [...checkpoints, checkpoint] })
      return { ...checkpoint, copied }
    })
  }

  restore(sprite: Sprite, id: string): Promise<Copied> {
    return this.#inTurn(sprite.name, () =>
      this.#machines.whileStopped(sprite.name, async () => {
        this.get(sprite, id)
        await this.#launcher.prepare(sprite)
        const from = join(this.#directory(sprite), id)
        const to = this.#launcher.store.makeRestoring(sprite)
        const copied = await this.#run(
          sprite,
          [
            // Writable only because what is shut to its owner is opened while it is read.
            { from, inside: "/run/checkpoint", writable: true },
            { from: to, inside: "/run/restoring", writable: true },
          ],
          // Both exist for a moment, so it is the machine that must have room.
          (at) => ["restore", at(from), at(to), String(this.#disk.spare())],
        )
        this.#launcher.store.finishRestoring(sprite)
        this.#write(sprite, { ...this.#book(sprite), current: id })
        return copied
      }),
    )
  }

  remove(sprite: Sprite, id: string): Promise<void> {
    return this.#inTurn(sprite.name, async () => {
      this.get(sprite, id)
      const book = this.#book(sprite)
      this.#write(sprite, { ...book, checkpoints: book.checkpoints.filter((other) => other.id !== id) })
      this.#launcher.store.discard(sprite, join("checkpoints", id))
    })
  }

  /** In a sandbox of the sprite's that sees these directories too. */
  async #run(
    sprite: Sprite,
    directories: ReadonlyArray<{
      readonly from: string
      readonly inside: string
      readonly writable: boolean
    }>,
    args: (at: (directory: string) => string) => ReadonlyArray<string>,
  ): Promise<Copied> {
    const unsafe = this.#launcher.isolation._tag === "Unsafe"
    const own = this.#launcher.store.directories(sprite)
    const at = (directory: string) =>
      unsafe ? directory : (directories.find(({ from }) => from === directory)?.inside ?? directory)
    const [node, code] = unsafe ? [process.execPath, agentDirectory] : ["/run/node", "/run/agent"]
    const { promise, resolve } = Promise.withResolvers<string>()
    let said = ""
    this.#launcher.run(
      sprite,
      {
        argv: [node, join(code, "Snapshot.ts"), ...args(at)],
        env: {
          PATH: defaultPath,
          HOME: home,
          ...(unsafe && { SPRITE_HOME: own.home, SPRITE_TMP: own.tmp }),
        },
        directory: "/",
        terminal: undefined,
        stdin: false,
        helper: true,
        mounts: [
          { from: process.execPath, to: "/run/node", writable: false },
          { from: agentDirectory, to: "/run/agent", writable: false },
          ...directories.map(({ from, inside, writable }) => ({ from, to: inside, writable })),
        ],
      },
      { output: (_, bytes) => (said += bytes.toString("utf8")), ended: () => resolve(said) },
    )
    const last = (await promise).trim().split("\n").at(-1) ?? ""
    const result = jsonObject(last)
    if (typeof result?.["files"] === "number") return result as unknown as Copied
    throw new Error(typeof result?.["error"] === "string" ? result["error"] : last || "the copy was ended")
  }

  /** One at a time in each sprite. */
  async #inTurn<A>(name: string, work: () => Promise<A>): Promise<A> {
    const before = this.#turns.get(name) ?? Promise.resolve()
    const turn = before.then(work, work)
    this.#turns.set(name, turn)
    try {
      return await turn
    } finally {
      if (this.#turns.get(name) === turn) this.#turns.delete(name)
    }
  }

  #directory(sprite: Sprite): string {
    return this.#launcher.store.ownedDirectory(sprite, "checkpoints")
  }

  #book(sprite: Sprite): Book {
    const file = this.#launcher.store.file(sprite.name, "checkpoints.json")
    const book = fs.existsSync(file) ? jsonObject(fs.readFileSync(file, "utf8")) : undefined
    return book === undefined ? empty : (book as unknown as Book)
  }

  #write(sprite: Sprite, book: Book): void {
    this.#launcher.store.writeFile(sprite.name, "checkpoints.json", JSON.stringify(book))
  }
}
