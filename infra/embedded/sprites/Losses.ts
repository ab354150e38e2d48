/**
 * What ran when the server was last stopped or killed. Commands cannot outlive it; so that nobody has to guess, each
 * start of a command is noted in a file of its sprite, and what is still noted at the next start was lost: it is said in the sprite's check, in the answer to who asks for such a session, and in the server's status.
 */
import * as fs from "node:fs"
import type { Session } from "./Session.ts"
import type { SpriteStore } from "./SpriteStore.ts"
import { jsonObject } from "./Wire.ts"

const file = "running.json"

interface Lost {
  readonly id: string
  readonly command: string
}

export class Losses {
  readonly #store: SpriteStore
  readonly #running = new Map<string, Map<string, Lost>>()
  readonly #lost = new Map<string, ReadonlyArray<Lost>>()
  #noting = true

  constructor(store: SpriteStore) {
    this.#store = store
    for (const { name } of store.list("")) {
      const path = store.file(name, file)
      if (!fs.existsSync(path)) continue
      const noted = jsonObject(fs.readFileSync(path, "utf8"))?.["running"]
      fs.rmSync(path)
      if (Array.isArray(noted) && noted.length > 0) this.#lost.set(name, noted as ReadonlyArray<Lost>)
    }
  }

  /** One sentence on what a sprite lost with the last server, if it lost anything. */
  of(name: string): string | undefined {
    const lost = this.#lost.get(name)
    if (lost === undefined) return undefined
    const commands = lost.map(({ command }) => short(command))
    const shown = commands.slice(0, 3).join(", ") + (commands.length > 3 ? ", ..." : "")
    return `The sandbox server was restarted; what ran was ended: ${shown}. Files, checkpoints, policies and services were kept.`
  }

  has(name: string, id: string): boolean {
    return this.#lost.get(name)?.some((lost) => lost.id === id) === true
  }

  get all(): ReadonlyArray<string> {
    return [...this.#lost].flatMap(([name, lost]) => lost.map(({ command }) => `${name}: ${short(command)}`))
  }

  forget(name: string): void {
    this.#lost.delete(name)
  }

  started(name: string, session: Session): void {
    const running = this.#running.get(name) ?? new Map<string, Lost>()
    this.#running.set(name, running)
    running.set(session.id, { id: session.id, command: session.description().command })
    this.#note(name, running)
    session.onEnd(() => {
      running.delete(session.id)
      if (running.size === 0) this.#running.delete(name)
      this.#note(name, running)
    })
  }

  /** From here on an end is the server's doing, and stays noted. */
  keep(): void {
    this.#noting = false
  }

  #note(name: string, running: ReadonlyMap<string, Lost>): void {
    if (!this.#noting || !this.#store.has(name)) return
    const path = this.#store.file(name, file)
    try {
      if (running.size === 0) fs.rmSync(path, { force: true })
      else fs.writeFileSync(path, JSON.stringify({ running: [...running.values()] }), { mode: 0o600 })
    } catch {
      // On a full disk commands matter more than the note.
      return
    }
  }
}

const short = (command: string): string => (command.length > 60 ? `${command.slice(0, 57)}...` : command)
