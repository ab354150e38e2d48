/**
 * The live sessions of every sprite. A session is listed from its start to its end and unknown afterwards; ids are
 * random, so that one from before a restart of the server never means another command.
 */
import { randomBytes } from "node:crypto"
import type { Isolation } from "./Isolation.ts"
import type { Limits } from "./Limits.ts"
import { enforceMemory, watchMillis } from "./MemoryWatch.ts"
import type { Pipes } from "./Pipes.ts"
import { start } from "./Process.ts"
import { Session } from "./Session.ts"
import type { Sprite, SpriteStore } from "./SpriteStore.ts"
import { type ExecRequest, notFound, WireError } from "./Wire.ts"

export class SessionRegistry {
  readonly #isolation: Isolation
  readonly #limits: Limits
  readonly #pipes: Pipes
  readonly #store: SpriteStore
  readonly #sessions = new Map<string, Map<string, Session>>()
  readonly #watch: NodeJS.Timeout

  constructor(isolation: Isolation, limits: Limits, pipes: Pipes, store: SpriteStore) {
    this.#isolation = isolation
    this.#limits = limits
    this.#pipes = pipes
    this.#store = store
    this.#watch = setInterval(() => {
      enforceMemory(
        [...this.#sessions.values()].map((of) => [...of.values()]),
        limits.memoryBytes,
      )
    }, watchMillis)
  }

  /** Throws what a client should be told before its connection is accepted. */
  admit(sprite: Sprite): void {
    const running = this.list(sprite.name).length
    if (running >= this.#limits.sessions) {
      throw new WireError(
        429,
        "too_many_sessions",
        `${sprite.name} runs ${running} commands; end one of them first.`,
      )
    }
  }

  /** A program that cannot be run is not a failure here: its session ends with 126 or 127. */
  start(sprite: Sprite, request: ExecRequest): Session {
    const sessions = this.#sessions.get(sprite.name) ?? new Map<string, Session>()
    const id = randomBytes(6).toString("hex")
    const session = new Session(id, request, this.#limits, (listener) =>
      start(
        {
          isolation: this.#isolation,
          limits: this.#limits,
          pipes: this.#pipes,
          box: { name: sprite.name, uid: sprite.uid, directories: this.#store.directories(sprite) },
          command: request,
          input: request.stdin,
        },
        listener,
      ),
    )
    sessions.set(id, session)
    this.#sessions.set(sprite.name, sessions)
    session.onEnd(() => {
      sessions.delete(id)
      if (sessions.size === 0) this.#sessions.delete(sprite.name)
    })
    return session
  }

  get(sprite: string, id: string): Session {
    const session = this.#sessions.get(sprite)?.get(id)
    if (session === undefined) throw notFound(`running session ${id} of ${sprite}`)
    return session
  }

  list(sprite: string): ReadonlyArray<Session> {
    return [...(this.#sessions.get(sprite)?.values() ?? [])]
  }

  /** Kills every session of a sprite and calls back when the last one is gone. */
  endAll(sprite: string, done: () => void): void {
    const sessions = this.list(sprite)
    let left = sessions.length
    if (left === 0) return done()
    for (const session of sessions) {
      session.onEnd(() => {
        left--
        if (left === 0) done()
      })
      session.signal("SIGKILL")
    }
  }

  /** For the end of the server: nobody is told an exit code, because the commands did not end by themselves. */
  close(done: () => void): void {
    clearInterval(this.#watch)
    const names = [...this.#sessions.keys()]
    for (const session of names.flatMap((name) => this.list(name))) session.dropAttachments()
    let left = names.length
    if (left === 0) return done()
    for (const name of names) {
      this.endAll(name, () => {
        left--
        if (left === 0) done()
      })
    }
  }
}
