/**
 * The real `infra/main.ts` as a child process: started until it says it is ready, killed in any way, started again on the same
 * home. It dies with the test process.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { processesIn, signal } from "../embedded/Processes.ts"
import { freePort } from "../testing/TestServer.ts"
import type { KillPoint } from "./KillPoint.ts"

export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const root = join(import.meta.dirname, "../..")
const node = join(root, "node_modules/.bin/node")
const dieWithParent = existsSync("/usr/bin/setpriv") ? ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"] : []
const ready = "is ready."
const patience = 20_000

export class RuntimeProcess {
  private readonly home: string
  private readonly env: Readonly<Record<string, string>>
  private child: ChildProcess | undefined
  private ended: Promise<End> = Promise.resolve({ code: null, signal: null })
  private port = ""
  /** Everything it has written, over all its lives. */
  log = ""

  constructor(home: string, env: Readonly<Record<string, string>>) {
    this.home = home
    this.env = env
  }

  /** What `npx troupe` prints beside it. */
  troupe(...args: ReadonlyArray<string>): Promise<string> {
    const { PATH = "" } = process.env
    const env = { PATH, PORT: this.port, TROUPE_HOME: join(this.home, "troupe") }
    return new Promise((resolve) => {
      execFile(node, [join(root, "infra/cli/troupe.js"), ...args], { env }, (_, out, err) =>
        resolve(out + err),
      )
    })
  }

  get pid(): number {
    return this.child?.pid ?? 0
  }

  /**
   * Resolves when it has said that it is ready; rejects with its words when it ends instead. With a point, it is killed
   * there, and that it ended before it was ready is fine.
   */
  async start(point?: KillPoint): Promise<void> {
    const [file = node, ...args] = [
      ...dieWithParent,
      node,
      "--import",
      join(import.meta.dirname, "killAt.ts"),
      join(root, "infra/main.ts"),
    ]
    const { PATH = "", HOME = "/" } = process.env
    this.port = String(await freePort())
    const child = spawn(file, args, {
      cwd: root,
      env: {
        PATH,
        HOME,
        TROUPE_HOME: join(this.home, "troupe"),
        TROUPE_CONFIG: join(this.home, "troupe.yaml"),
        PORT: this.port,
        ...this.env,
        ...(point === undefined ? {} : { TROUPE_E2E_KILL_AT: JSON.stringify(point) }),
      },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    })
    this.child = child
    this.ended = new Promise((resolve) =>
      child.once("close", (code, name) => resolve({ code, signal: name })),
    )
    const from = this.log.length
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(this.failure("was not ready in time")), patience)
      const note = (part: Buffer) => {
        this.log += part.toString()
        if (!this.log.includes(ready, from)) return
        clearTimeout(timer)
        resolve()
      }
      child.stdout?.on("data", note)
      child.stderr?.on("data", note)
      child.once("error", reject)
      void this.ended.then(({ code, signal: name }) => {
        clearTimeout(timer)
        if (point !== undefined && name === "SIGKILL") resolve()
        else reject(this.failure(`ended with ${code} before it was ready`))
      })
    })
  }

  /** It will be killed there. Resolves when it knows. */
  arm(point: KillPoint): Promise<void> {
    return new Promise((resolve) => {
      this.child?.once("message", () => resolve())
      this.child?.send(point)
    })
  }

  /** What was asked before has been written to its end. */
  quiet(): Promise<void> {
    return this.arm({ statement: "nothing at all", when: "before" })
  }

  signal(name: NodeJS.Signals): void {
    if (this.child !== undefined && this.child.exitCode === null) signal(this.pid, name)
  }

  /** The process ends by itself, or at an armed point. */
  async end(): Promise<End> {
    const timeout = new Promise<never>((_, reject) => {
      setTimeout(() => reject(this.failure("lives on")), patience).unref()
    })
    return Promise.race([this.ended, timeout])
  }

  async kill(name: NodeJS.Signals = "SIGKILL"): Promise<End> {
    this.signal(name)
    return this.end()
  }

  /** kill -9 of the runtime and of its embedded Postgres and nats-server with all their processes, at once. */
  async killEverything(): Promise<void> {
    const pids = [this.pid, ...this.servers()]
    for (const pid of pids) signal(pid, "SIGKILL")
    await this.ended
  }

  /** The processes of the embedded servers. */
  servers(): ReadonlyArray<number> {
    const nats = join(this.home, "troupe/nats/nats.pid")
    return [
      ...(existsSync(nats) ? [Number(readFileSync(nats, "utf8"))] : []),
      ...processesIn(join(this.home, "troupe/postgres/data")),
    ]
  }

  failure(what: string): Error {
    return new Error(`The runtime ${what}. Its last words:\n${this.log.slice(-6_000)}`)
  }
}
