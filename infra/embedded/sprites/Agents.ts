/**
 * The helpers inside: one process a sprite (agent/Main.ts) that serves its files and its ports over a Unix socket that
 * only its sandbox sees, and carries what commands send to the egress proxy out of their network. Started when first
 * needed, ended when idle. Nothing outside ever opens a file of a sandbox or connects to its loopback.
 */
import * as fs from "node:fs"
import * as http from "node:http"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Mount } from "./Isolation.ts"
import type { Launcher } from "./Launcher.ts"
import type { Running } from "./Process.ts"
import type { Sprite } from "./SpriteStore.ts"
import { defaultPath, home, WireError } from "./Wire.ts"

export const agentDirectory = join(dirname(fileURLToPath(import.meta.url)), "agent")
const idleMillis = 60_000

/** An agent in use; it stays until it is released. */
export interface Loan {
  readonly request: (options: http.RequestOptions) => http.ClientRequest
  readonly release: () => void
}

export interface Outlet {
  /** Listens for what an agent carries out, at a path in a directory of that agent's own. */
  readonly listen: (sprite: Sprite, path: string) => { readonly close: () => void }
  /** Whether commands of this sprite may send anything: then its agent stays while they run. */
  readonly wanted: (sprite: Sprite) => boolean
}

interface Agent {
  readonly running: Running
  readonly socket: string
  readonly pool: http.Agent
  readonly ready: Promise<void>
  readonly ended: Promise<void>
  busy: number
  idle: NodeJS.Timeout | undefined
}

export class Agents {
  readonly #launcher: Launcher
  readonly #directory: string
  readonly #outlet: Outlet
  readonly #agents = new Map<string, Agent>()
  #made = 0

  /** `directory`: where sockets are made; short, because a socket's path may have 107 bytes only. */
  constructor(launcher: Launcher, directory: string, outlet: Outlet) {
    this.#launcher = launcher
    this.#directory = directory
    this.#outlet = outlet
    fs.mkdirSync(directory, { mode: 0o711 })
  }

  /** Rejects with one sentence where there can be none. */
  async borrow(sprite: Sprite): Promise<Loan> {
    await this.#launcher.prepare(sprite)
    const agent = this.#agents.get(sprite.name) ?? this.#start(sprite)
    clearTimeout(agent.idle)
    agent.busy++
    let released = false
    const release = () => {
      if (released) return
      released = true
      agent.busy--
      if (agent.busy === 0) this.#rest(sprite, agent)
    }
    try {
      await agent.ready
    } catch (cause) {
      release()
      throw cause
    }
    return {
      request: (options) => http.request({ agent: agent.pool, ...options, socketPath: agent.socket }),
      release,
    }
  }

  async end(name: string): Promise<void> {
    const agent = this.#agents.get(name)
    if (agent === undefined) return
    // The next request gets a new agent, not one that is about to go.
    this.#agents.delete(name)
    clearTimeout(agent.idle)
    agent.running.signal("SIGKILL")
    await agent.ended
  }

  async close(): Promise<void> {
    await Promise.all([...this.#agents.keys()].map((name) => this.end(name)))
  }

  #rest(sprite: Sprite, agent: Agent): void {
    agent.idle = setTimeout(() => {
      if (this.#agents.get(sprite.name) !== agent) return
      if (this.#outlet.wanted(sprite)) this.#rest(sprite, agent)
      else void this.end(sprite.name)
    }, idleMillis)
  }

  #start(sprite: Sprite): Agent {
    const unsafe = this.#launcher.isolation._tag === "Unsafe"
    const directory = join(this.#directory, String(this.#made++))
    fs.mkdirSync(directory, { mode: 0o700 })
    if (sprite.uid !== undefined) fs.chownSync(directory, sprite.uid, sprite.uid)
    const directories = this.#launcher.store.directories(sprite)
    const [node, code, sockets] = unsafe
      ? [process.execPath, agentDirectory, directory]
      : ["/run/node", "/run/agent", "/run/sockets"]
    const mounts: ReadonlyArray<Mount> = [
      { from: process.execPath, to: "/run/node", writable: false },
      { from: agentDirectory, to: "/run/agent", writable: false },
      { from: directory, to: "/run/sockets", writable: true },
    ]
    const outlet = this.#launcher.sharesNetwork
      ? this.#outlet.listen(sprite, join(directory, "egress"))
      : undefined
    const ready = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    ready.promise.catch(() => {})
    let said = ""
    const running = this.#launcher.run(
      sprite,
      {
        argv: [node, join(code, "Main.ts"), sockets, ...(outlet === undefined ? [] : ["egress"])],
        env: { PATH: defaultPath, HOME: home, ...(unsafe && { SPRITE_HOME: directories.home }) },
        directory: home,
        terminal: undefined,
        stdin: true,
        mounts,
        helper: true,
      },
      {
        output: (_, bytes) => {
          said += bytes.toString("utf8")
          if (said === "ready\n") ready.resolve()
        },
        ended: () => {
          clearTimeout(agent.idle)
          agent.pool.destroy()
          outlet?.close()
          if (this.#agents.get(sprite.name) === agent) this.#agents.delete(sprite.name)
          const why = said.trim().split("\n")[0] || "The helper inside the sandbox could not be started."
          ready.reject(new WireError(503, "unavailable", why.slice(0, 500)))
          fs.rmSync(directory, { recursive: true, force: true })
          ended.resolve()
        },
      },
    )
    const agent: Agent = {
      running,
      socket: join(directory, "agent"),
      pool: new http.Agent({ keepAlive: true }),
      ready: ready.promise,
      ended: ended.promise,
      busy: 0,
      idle: undefined,
    }
    this.#agents.set(sprite.name, agent)
    return agent
  }
}
