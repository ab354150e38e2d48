/**
 * The live commands of every sprite. A session is listed from its start to its end and unknown afterwards; ids are
 * random, so that one from before a restart of the server never means another command. The commands of services are
 * kept here too, under the same limits, but not listed.
 */
import { randomBytes } from "node:crypto"
import type { Launcher } from "./Launcher.ts"
import type { Losses } from "./Losses.ts"
import { Session } from "./Session.ts"
import type { Sprite } from "./SpriteStore.ts"
import { type ExecRequest, notFound, WireError } from "./Wire.ts"

export class SessionRegistry {
  readonly #launcher: Launcher
  readonly #losses: Losses
  readonly #sessions = new Map<string, Map<string, Session>>()

  constructor(launcher: Launcher, losses: Losses) {
    this.#launcher = launcher
    this.#losses = losses
  }

  /** Throws what a client should be told before its connection is accepted. */
  admit(sprite: Sprite): void {
    const running = this.list(sprite.name).length
    if (running >= this.#launcher.limits.sessions) {
      throw new WireError(
        429,
        "too_many_sessions",
        `${sprite.name} runs ${running} commands; end one of them first.`,
      )
    }
  }

  /**
   * A program that cannot be run is not a failure here: its session ends with 126 or 127. The sprite must be awake.
   */
  start(sprite: Sprite, request: ExecRequest, service?: string): Session {
    const { limits, store } = this.#launcher
    const sessions = this.#sessions.get(sprite.name) ?? new Map<string, Session>()
    const id = randomBytes(6).toString("hex")
    const session = new Session(id, request, limits, service, (listener) =>
      this.#launcher.run(sprite, request, listener),
    )
    sessions.set(id, session)
    this.#sessions.set(sprite.name, sessions)
    store.changed(sprite.name)
    if (service === undefined) this.#losses.started(sprite.name, session)
    session.onEnd(() => {
      sessions.delete(id)
      if (sessions.size === 0) this.#sessions.delete(sprite.name)
      store.changed(sprite.name)
    })
    return session
  }

  get(sprite: string, id: string): Session {
    const session = this.#sessions.get(sprite)?.get(id)
    if (session !== undefined && session.service === undefined) return session
    if (this.#losses.has(sprite, id)) {
      throw new WireError(
        404,
        "session_lost",
        `Session ${id} of ${sprite} ended with the last sandbox server.`,
      )
    }
    throw notFound(`running session ${id} of ${sprite}`)
  }

  list(sprite: string): ReadonlyArray<Session> {
    return this.all(sprite).filter((session) => session.service === undefined)
  }

  /** With those of services. */
  all(sprite: string): ReadonlyArray<Session> {
    return [...(this.#sessions.get(sprite)?.values() ?? [])]
  }

  /** Names of the sprites in which anything runs. */
  get busy(): ReadonlyArray<string> {
    return [...this.#sessions.keys()]
  }

  /** Kills every command of a sprite, and waits for their ends. */
  async endAll(sprite: string): Promise<void> {
    await Promise.all(
      this.all(sprite).map((session) => {
        const { promise, resolve } = Promise.withResolvers<void>()
        session.onEnd(() => resolve())
        session.signal("SIGKILL")
        return promise
      }),
    )
  }

  /** For the end of the server: nobody is told an exit code, because the commands did not end by themselves. */
  async close(): Promise<void> {
    this.#losses.keep()
    for (const name of this.busy) for (const session of this.all(name)) session.dropAttachments()
    await Promise.all(this.busy.map((name) => this.endAll(name)))
  }
}
