/**
 * The file API. Nothing here opens a file of a sandbox: requests are passed on to an agent (agent/Main.ts) that runs
 * inside, started when first needed and ended when idle, over a Unix socket that only that agent's sandbox sees.
 */
import * as fs from "node:fs"
import * as http from "node:http"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Isolation, Mount } from "./Isolation.ts"
import type { Limits } from "./Limits.ts"
import type { Pipes } from "./Pipes.ts"
import { type Running, start } from "./Process.ts"
import type { Sprite, SpriteStore } from "./SpriteStore.ts"
import { defaultPath, home } from "./Wire.ts"

const agentDirectory = join(dirname(fileURLToPath(import.meta.url)), "agent")
const idleMillis = 60_000

interface Agent {
  readonly running: Running
  readonly socket: string
  readonly pool: http.Agent
  /** Undefined once it listens. */
  waiting: Array<(failure: string | undefined) => void> | undefined
  readonly whenEnded: Array<() => void>
  busy: number
  idle: NodeJS.Timeout | undefined
}

export class Filesystem {
  readonly #isolation: Isolation
  readonly #limits: Limits
  readonly #pipes: Pipes
  readonly #store: SpriteStore
  readonly #directory: string
  readonly #agents = new Map<string, Agent>()
  #made = 0

  /** `directory`: where sockets are made; short, because a socket's path may have 107 bytes only. */
  constructor(isolation: Isolation, limits: Limits, pipes: Pipes, store: SpriteStore, directory: string) {
    this.#isolation = isolation
    this.#limits = limits
    this.#pipes = pipes
    this.#store = store
    this.#directory = directory
    fs.mkdirSync(directory, { mode: 0o711 })
  }

  handle(
    sprite: Sprite,
    operation: string,
    query: string,
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ) {
    const agent = this.#agents.get(sprite.name) ?? this.#start(sprite)
    clearTimeout(agent.idle)
    agent.busy++
    response.on("close", () => {
      agent.busy--
      if (agent.busy === 0) agent.idle = setTimeout(() => this.end(sprite.name, () => {}), idleMillis)
    })
    const forward = (failure: string | undefined) => {
      if (failure !== undefined) return refuse(request, response, failure)
      const { "content-length": length, "content-type": type } = request.headers
      const headers = { ...(length && { "content-length": length }), ...(type && { "content-type": type }) }
      const path = `/${operation}?${query}`
      const inner = http.request({
        socketPath: agent.socket,
        agent: agent.pool,
        method: request.method,
        path,
        headers,
      })
      inner
        .on("response", (answer) => {
          response.writeHead(answer.statusCode ?? 500, { "content-type": answer.headers["content-type"] })
          answer.pipe(response)
          answer.on("error", () => response.destroy())
        })
        .on("error", (cause) => {
          if (response.headersSent) response.destroy()
          else refuse(request, response, `The file server of the sandbox does not answer: ${cause.message}`)
        })
      response.on("close", () => {
        if (!response.writableFinished) inner.destroy()
      })
      request.pipe(inner)
    }
    if (agent.waiting === undefined) forward(undefined)
    else agent.waiting.push(forward)
  }

  end(name: string, done: () => void): void {
    const agent = this.#agents.get(name)
    if (agent === undefined) return done()
    // The next request gets a new agent, not one that is about to go.
    this.#agents.delete(name)
    clearTimeout(agent.idle)
    agent.whenEnded.push(done)
    agent.running.signal("SIGKILL")
  }

  close(done: () => void): void {
    const names = [...this.#agents.keys()]
    let left = names.length
    if (left === 0) return done()
    for (const name of names) {
      this.end(name, () => {
        left--
        if (left === 0) done()
      })
    }
  }

  #start(sprite: Sprite): Agent {
    const unsafe = this.#isolation._tag === "Unsafe"
    const directory = join(this.#directory, String(this.#made++))
    fs.mkdirSync(directory, { mode: 0o700 })
    if (sprite.uid !== undefined) fs.chownSync(directory, sprite.uid, sprite.uid)
    const directories = this.#store.directories(sprite)
    const [node, code, sockets] = unsafe
      ? [process.execPath, agentDirectory, directory]
      : ["/run/node", "/run/agent", "/run/sockets"]
    const mounts: ReadonlyArray<Mount> = [
      { from: process.execPath, to: "/run/node", writable: false },
      { from: agentDirectory, to: "/run/agent", writable: false },
      { from: directory, to: "/run/sockets", writable: true },
    ]
    let said = ""
    const running = start(
      {
        isolation: this.#isolation,
        limits: this.#limits,
        pipes: this.#pipes,
        box: { name: sprite.name, uid: sprite.uid, directories },
        command: {
          argv: [node, join(code, "Main.ts"), join(sockets, "fs")],
          env: { PATH: defaultPath, HOME: home, ...(unsafe && { SPRITE_HOME: directories.home }) },
          directory: home,
          terminal: undefined,
          mounts,
        },
        input: true,
      },
      {
        output: (_, bytes) => {
          said += bytes.toString("utf8")
          if (said === "ready\n") this.#settle(agent, undefined)
        },
        ended: () => {
          clearTimeout(agent.idle)
          agent.pool.destroy()
          if (this.#agents.get(sprite.name) === agent) this.#agents.delete(sprite.name)
          this.#settle(agent, said.trim() || "The file server of the sandbox could not be started.")
          fs.rmSync(directory, { recursive: true, force: true })
          for (const done of agent.whenEnded) done()
        },
      },
    )
    const agent: Agent = {
      running,
      socket: join(directory, "fs"),
      pool: new http.Agent({ keepAlive: true }),
      waiting: [],
      whenEnded: [],
      busy: 0,
      idle: undefined,
    }
    this.#agents.set(sprite.name, agent)
    return agent
  }

  #settle(agent: Agent, failure: string | undefined): void {
    const waiting = agent.waiting ?? []
    agent.waiting = undefined
    for (const forward of waiting) forward(failure)
  }
}

const refuse = (request: http.IncomingMessage, response: http.ServerResponse, message: string): void => {
  request.resume()
  response
    .writeHead(500, { "content-type": "application/json" })
    .end(JSON.stringify({ error: message, code: "EIO" }))
}
