/**
 * The life of a sprite: cold until something uses it, awake from then on, running while a command or a service runs in
 * it, and stopped again when nobody has used it and nothing has computed in it for long. Files, checkpoints, policies and
 * what services there are outlive all of that; commands do not.
 */
import type { Agents } from "./Agents.ts"
import type { Launcher } from "./Launcher.ts"
import type { DiskWatch } from "./quotas/DiskWatch.ts"
import type { Session } from "./Session.ts"
import type { SessionRegistry } from "./SessionRegistry.ts"
import type { Sprite } from "./SpriteStore.ts"

/** What keeps a sprite ready in which nothing runs (a process, a network) is given back after this long. */
const emptyMillis = 10 * 60_000
/** Less CPU time than this between two looks is what an idle shell or server uses. */
const restingMillis = 50

const checkMillis = 10_000

interface Awake {
  usedAt: number
  cpuMillis: number
}

/** What is done with a sprite when it wakes and before it sleeps. */
export interface Resident {
  readonly wake: (sprite: Sprite) => void
  /** Nothing that ends from now on is started again. */
  readonly sleep: (name: string) => void
}

export class Machines {
  readonly #launcher: Launcher
  readonly #sessions: SessionRegistry
  readonly #agents: Agents
  readonly #disk: DiskWatch
  readonly #resident: Resident
  readonly #awake = new Map<string, Awake>()
  readonly #stopped = new Map<string, Promise<unknown>>()

  constructor(
    launcher: Launcher,
    sessions: SessionRegistry,
    agents: Agents,
    disk: DiskWatch,
    resident: Resident,
  ) {
    this.#launcher = launcher
    this.#sessions = sessions
    this.#agents = agents
    this.#disk = disk
    this.#resident = resident
  }

  /** To be awaited before anything is run in a sprite. */
  async wake(name: string): Promise<Sprite> {
    while (this.#stopped.has(name)) await this.#stopped.get(name)
    await this.#launcher.prepare(this.#launcher.store.get(name))
    if (this.#disk.isFull(name)) await this.#disk.measure(name)
    // It may have gone or changed meanwhile.
    const sprite = this.#launcher.store.get(name)
    const before = this.#awake.get(name)
    this.#awake.set(name, { usedAt: Date.now(), cpuMillis: before?.cpuMillis ?? 0 })
    if (before === undefined) {
      this.#resident.wake(sprite)
      this.#launcher.store.changed(name)
    }
    return sprite
  }

  status(name: string): "running" | "warm" | "cold" {
    if (this.#sessions.all(name).length > 0) return "running"
    return this.#awake.has(name) ? "warm" : "cold"
  }

  /** Runs a command in it to see that it works; one sentence if it does not. */
  async check(name: string): Promise<string | undefined> {
    const sprite = await this.wake(name)
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    let said = ""
    const trial = { argv: ["true"], env: {}, directory: "/", terminal: undefined, stdin: false }
    const running = this.#launcher.run(sprite, trial, {
      output: (_, bytes) => (said += bytes.toString("utf8")),
      ended: (code) => resolve(code === 0 ? undefined : said.trim() || `A command ended with ${code}.`),
    })
    const timer = setTimeout(() => {
      running.signal("SIGKILL")
      resolve("A command did not end in time.")
    }, checkMillis)
    return promise.finally(() => clearTimeout(timer))
  }

  /** Ends everything that runs in it; the next use wakes it again. */
  stop(name: string): Promise<void> {
    return this.whileStopped(name, () => Promise.resolve())
  }

  /** Stops it, and lets nothing wake it until `work` is done. */
  async whileStopped<A>(name: string, work: () => Promise<A>): Promise<A> {
    while (this.#stopped.has(name)) await this.#stopped.get(name)
    const working = this.#end(name).then(work)
    this.#stopped.set(
      name,
      working.then(
        () => {},
        () => {},
      ),
    )
    try {
      return await working
    } finally {
      this.#stopped.delete(name)
      this.#launcher.store.changed(name)
    }
  }

  async #end(name: string): Promise<void> {
    this.#awake.delete(name)
    this.#resident.sleep(name)
    await this.#sessions.endAll(name)
    await this.#agents.end(name)
    this.#launcher.dismantle(name)
  }

  /** Stops those that were idle for long; called now and then. */
  stopIdle(now: number): void {
    for (const [name, awake] of this.#awake) {
      const sessions = this.#sessions.all(name)
      const cpuMillis = sessions.reduce((sum, session) => sum + session.cpuMillis, 0)
      if (inUse(sessions) || Math.abs(cpuMillis - awake.cpuMillis) > restingMillis) {
        this.#awake.set(name, { usedAt: now, cpuMillis })
        continue
      }
      const last = Math.max(awake.usedAt, ...sessions.map((session) => session.lastActivity))
      const { idleMillis } = this.#launcher.limits
      const patience = sessions.length === 0 ? Math.min(idleMillis, emptyMillis) : idleMillis
      if (now - last > patience) void this.stop(name)
    }
  }
}

const inUse = (sessions: ReadonlyArray<Session>): boolean => sessions.some((session) => session.attached)
