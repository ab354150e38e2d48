/**
 * Services: commands of a sprite that are to run for as long as it is awake. What is defined, and whether it is wanted,
 * is written down and outlives the server; a service that fails is started again after 1 s, 2 s, 4 s, up to a minute. One
 * that ends with 0 has done its work and stays stopped until it is started, or its sprite wakes, again.
 */
import * as fs from "node:fs"
import type { Session } from "../Session.ts"
import type { SessionRegistry } from "../SessionRegistry.ts"
import type { Sprite, SpriteStore } from "../SpriteStore.ts"
import { defaultEnvironment, ended, home, invalid, jsonObject, notFound, stream, WireError } from "../Wire.ts"
import { ServiceLog } from "./ServiceLog.ts"

export interface Definition {
  readonly name: string
  readonly cmd: string
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>> | undefined
  readonly dir: string | undefined
  readonly needs: ReadonlyArray<string>
  readonly http_port: number | null
}

interface Written extends Definition {
  readonly wanted: boolean
}

type State =
  | { readonly _tag: "Stopped" }
  | { readonly _tag: "Running"; readonly session: Session; readonly since: number }
  | { readonly _tag: "Stopping"; readonly session: Session; readonly since: number }
  | {
      readonly _tag: "Failed"
      readonly error: string
      readonly again: number
      readonly timer: NodeJS.Timeout
    }

interface Live {
  readonly log: ServiceLog
  state: State
  restarts: number
}

const most = 50
const stopMillis = 10_000
const logBytes = 1024 * 1024
const longestWaitMillis = 60_000
/** One that ran for this long failed anew, not again. */
const steadyMillis = 60_000

export class Services {
  readonly #store: SpriteStore
  readonly #sessions: SessionRegistry
  readonly #live = new Map<string, Map<string, Live>>()
  readonly #asleep = new Set<string>()

  constructor(store: SpriteStore, sessions: SessionRegistry) {
    this.#store = store
    this.#sessions = sessions
  }

  list(sprite: string): ReadonlyArray<unknown> {
    return this.#read(sprite).map((written) => this.#described(sprite, written))
  }

  get(sprite: string, name: string): unknown {
    return this.#described(sprite, this.#written(sprite, name))
  }

  log(sprite: string, name: string): ServiceLog {
    this.#written(sprite, name)
    return this.#of(sprite, name).log
  }

  /** Whether anything is to run whenever the sprite is awake. */
  wanted(sprite: string): boolean {
    return this.#read(sprite).some(({ wanted }) => wanted)
  }

  exists(sprite: string, name: string): boolean {
    return this.#read(sprite).some((service) => service.name === name)
  }

  /** Stops it if it runs. */
  async halt(sprite: string, name: string): Promise<void> {
    if (this.#runs(sprite, name)) await this.stop(sprite, name, stopMillis)
  }

  /** Defines it, or defines it anew; it is not started by this. */
  define(sprite: string, definition: Definition): void {
    const all = this.#read(sprite)
    const others = all.filter(({ name }) => name !== definition.name)
    for (const need of definition.needs) {
      if (!others.some(({ name }) => name === need))
        throw invalid(`${definition.name} needs ${need}, which is no service of ${sprite}.`)
    }
    if (others.length >= most) throw conflict(`${sprite} has ${most} services; delete one of them first.`)
    if (needsItself(definition, others)) throw invalid(`${definition.name} would need itself.`)
    this.#write(sprite, [...others, { ...definition, wanted: false }])
  }

  /** The sprite must be awake. Starting what runs changes nothing. */
  start(sprite: Sprite, name: string): void {
    const written = this.#written(sprite.name, name)
    this.#want(sprite.name, name, true)
    this.#asleep.delete(sprite.name)
    for (const need of written.needs) this.start(sprite, need)
    const live = this.#of(sprite.name, name)
    if (live.state._tag === "Running") return
    if (live.state._tag === "Stopping") throw conflict(`${name} is being stopped.`)
    live.restarts = 0
    this.#attempt(sprite, written, live)
  }

  /** TERM, and KILL after `patience`; resolves when it is gone. 409 if it does not run. */
  async stop(sprite: string, name: string, patience: number): Promise<void> {
    this.#written(sprite, name)
    const live = this.#of(sprite, name)
    this.#want(sprite, name, false)
    if (live.state._tag === "Failed") {
      clearTimeout(live.state.timer)
      live.state = { _tag: "Stopped" }
      live.log.add({ type: "stopped" })
      return
    }
    if (live.state._tag !== "Running") throw conflict(`${name} does not run.`)
    const { session, since } = live.state
    live.state = { _tag: "Stopping", session, since }
    live.log.add({ type: "stopping" })
    const { promise, resolve } = Promise.withResolvers<void>()
    session.onEnd(() => resolve())
    session.end(patience)
    await promise
  }

  async remove(sprite: string, name: string): Promise<void> {
    const all = this.#read(sprite)
    this.#written(sprite, name)
    const needing = all.find(({ needs }) => needs.includes(name))
    if (needing !== undefined) throw conflict(`${needing.name} needs ${name}; delete it first.`)
    await this.halt(sprite, name)
    this.#live.get(sprite)?.delete(name)
    this.#write(
      sprite,
      this.#read(sprite).filter((other) => other.name !== name),
    )
  }

  signal(sprite: string, name: string, signal: NodeJS.Signals): void {
    this.#written(sprite, name)
    const { state } = this.#of(sprite, name)
    if (state._tag !== "Running") throw conflict(`${name} does not run.`)
    state.session.signal(signal)
  }

  /** Starts what is wanted. */
  wake(sprite: Sprite): void {
    this.#asleep.delete(sprite.name)
    for (const { name, wanted } of this.#read(sprite.name)) if (wanted) this.start(sprite, name)
  }

  /** Nothing is started again until the sprite wakes; what runs is ended by who calls this. */
  sleep(sprite: string): void {
    this.#asleep.add(sprite)
    for (const live of this.#live.get(sprite)?.values() ?? []) {
      if (live.state._tag !== "Failed") continue
      clearTimeout(live.state.timer)
      live.state = { _tag: "Stopped" }
    }
    if (!this.#store.has(sprite)) this.#live.delete(sprite)
  }

  close(): void {
    for (const sprite of this.#live.keys()) this.sleep(sprite)
  }

  #runs(sprite: string, name: string): boolean {
    return ["Running", "Failed"].includes(this.#of(sprite, name).state._tag)
  }

  #run(sprite: Sprite, definition: Definition, live: Live): void {
    if (live.state._tag === "Failed") clearTimeout(live.state.timer)
    const since = Date.now()
    const session = this.#sessions.start(
      sprite,
      {
        argv: [definition.cmd, ...definition.args],
        stdin: false,
        env: defaultEnvironment({ ...sprite.environment, ...definition.env }),
        directory: definition.dir ?? home,
        terminal: undefined,
        detachedMillis: 0,
      },
      definition.name,
    )
    live.state = { _tag: "Running", session, since }
    live.log.add({ type: "started" })
    session.attach({
      isOwner: true,
      pending: () => 0,
      output: (from, bytes) => live.log.output(from === stream.stdout ? "stdout" : "stderr", bytes),
      ended: (code) => this.#ended(sprite.name, definition, live, code),
      drop: () => {},
    })
  }

  /** A machine without descriptors or disk is one more reason to try again later. */
  #attempt(sprite: Sprite, definition: Definition, live: Live): void {
    try {
      this.#run(sprite, definition, live)
    } catch (cause) {
      live.log.add({ type: "error", data: cause instanceof Error ? cause.message : String(cause) })
      this.#ended(sprite.name, definition, live, ended.cannotStart)
    }
  }

  #ended(sprite: string, definition: Definition, live: Live, code: number): void {
    const { state } = live
    live.log.add({ type: "exit", exit_code: code })
    const asked = state._tag === "Stopping" || this.#asleep.has(sprite)
    if (asked || code === 0) {
      live.state = { _tag: "Stopped" }
      if (asked) live.log.add({ type: "stopped" })
      return
    }
    const steady = state._tag === "Running" && Date.now() - state.since > steadyMillis
    live.restarts = steady ? 1 : live.restarts + 1
    const wait = Math.min(longestWaitMillis, 1000 * 2 ** (live.restarts - 1))
    const again = () => {
      if (!this.#store.has(sprite) || this.#asleep.has(sprite)) return
      this.#attempt(this.#store.get(sprite), definition, live)
    }
    const timer = setTimeout(again, wait)
    live.state = { _tag: "Failed", error: `It ended with ${code}.`, again: Date.now() + wait, timer }
  }

  #described(sprite: string, written: Written): unknown {
    const { wanted: _, ...definition } = written
    const { state, restarts } = this.#of(sprite, written.name)
    const base = { name: written.name, restart_count: restarts }
    switch (state._tag) {
      case "Stopped":
        return { ...definition, state: { ...base, status: "stopped" } }
      case "Failed": {
        const next = new Date(state.again).toISOString()
        return { ...definition, state: { ...base, status: "failed", error: state.error, next_restart_at: next } }
      }
      default: {
        const status = state._tag === "Running" ? "running" : "stopping"
        const started_at = new Date(state.since).toISOString()
        return { ...definition, state: { ...base, status, pid: state.session.pid, started_at } }
      }
    } // prettier-ignore
  }

  #of(sprite: string, name: string): Live {
    const services = this.#live.get(sprite) ?? new Map<string, Live>()
    this.#live.set(sprite, services)
    const live = services.get(name) ?? { log: new ServiceLog(logBytes), state: { _tag: "Stopped" }, restarts: 0 }
    services.set(name, live)
    return live
  } // prettier-ignore

  #written(sprite: string, name: string): Written {
    const found = this.#read(sprite).find((service) => service.name === name)
    if (found === undefined) throw notFound(`service ${name} of ${sprite}`)
    return found
  }

  #want(sprite: string, name: string, wanted: boolean): void {
    const all = this.#read(sprite)
    if (all.some((service) => service.name === name && service.wanted === wanted)) return
    this.#write(
      sprite,
      all.map((service) => (service.name === name ? { ...service, wanted } : service)),
    )
  }

  #read(sprite: string): ReadonlyArray<Written> {
    this.#store.get(sprite)
    const file = this.#store.file(sprite, "services.json")
    const read = fs.existsSync(file) ? jsonObject(fs.readFileSync(file, "utf8"))?.["services"] : undefined
    return Array.isArray(read) ? (read as ReadonlyArray<Written>) : []
  }

  #write(sprite: string, services: ReadonlyArray<Written>): void {
    const sorted = services.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    this.#store.writeFile(sprite, "services.json", JSON.stringify({ services: sorted }))
  }
}

const conflict = (message: string): WireError => new WireError(409, "conflict", message)

const needsItself = (definition: Definition, others: ReadonlyArray<Definition>): boolean => {
  const reached = new Set(definition.needs)
  for (const name of reached) {
    for (const need of others.find((other) => other.name === name)?.needs ?? []) reached.add(need)
  }
  return reached.has(definition.name)
}
