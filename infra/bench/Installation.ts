/** The real thing: `infra/main.ts` as a process, with Postgres and NATS embedded in a temporary home, and one Telegram bot. */
import { spawn, type ChildProcess } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Sql } from "../../runtime/index.ts"
import { processesIn, signal } from "../embedded/Processes.ts"
import { freePort } from "../testing/TestServer.ts"
import { now } from "./Child.ts"

export interface InstallationOptions {
  readonly telegram: string
  readonly anthropic: string
  readonly token: string
  /** Agents of the company that are not behind the bot. */
  readonly others?: number
  /** Agents on the page, by name. */
  readonly page?: ReadonlyArray<string>
  /** More environment. */
  readonly env?: Readonly<Record<string, string>>
}

const root = join(import.meta.dirname, "../..")
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly scripts: { readonly start: string }
}
const patience = 60_000
const homes = new Set<Installation>()
process.once("exit", () => {
  for (const one of homes) one.remove()
})

export class Installation {
  readonly home = mkdtempSync(join(tmpdir(), "troupe-bench-"))
  private readonly env: Readonly<Record<string, string>>
  private running: ChildProcess | undefined
  /** Where its page is. */
  port = 0
  private log = ""

  constructor(options: InstallationOptions) {
    const others = Array.from({ length: options.others ?? 0 }, (_, i) => ({
      name: `other${i}`,
      title: "Bystander",
      integrations: ["page"],
    }))
    const page = (options.page ?? []).map((name) => ({ name, title: "Engineer", integrations: ["page"] }))
    const config = {
      agents: [{ name: "ada", title: "Engineer", integrations: ["bot"] }, ...page, ...others],
      integrations: [
        {
          name: "bot",
          type: "telegram",
          token: options.token,
          apiRoot: options.telegram,
          allow: { users: ["*"] },
        },
        { name: "page", type: "web" },
      ],
      budgets: { perRoot: 1_000, perAgentPerDay: 1_000_000, perMonth: 1_000_000 },
    }
    // JSON is YAML too.
    writeFileSync(join(this.home, "troupe.yaml"), JSON.stringify(config))
    const { PATH = "", HOME = "/" } = process.env
    this.env = {
      PATH: `${join(root, "node_modules/.bin")}:${PATH}`,
      HOME,
      TROUPE_HOME: join(this.home, "troupe"),
      TROUPE_CONFIG: join(this.home, "troupe.yaml"),
      ANTHROPIC_API_KEY: "test-key",
      ANTHROPIC_BASE_URL: options.anthropic,
      ...options.env,
    }
    homes.add(this)
  }

  get pid(): number {
    return this.running?.pid ?? 0
  }

  /** Milliseconds until it says it is ready and /readyz agrees. */
  async start(): Promise<number> {
    const port = (this.port = await freePort())
    const from = now()
    // As `npm start` does, without npm: the shell becomes the process.
    const child = spawn("/bin/sh", ["-c", manifest.scripts.start], {
      cwd: root,
      env: { ...this.env, PORT: String(port) },
      stdio: ["ignore", "pipe", "pipe"],
    })
    this.running = child
    this.log = ""
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(this.failure("was not ready in time")), patience)
      const note = (part: Buffer) => {
        this.log += part.toString()
        if (!this.log.includes("is ready.")) return
        clearTimeout(late)
        resolve()
      }
      child.stdout.on("data", note)
      child.stderr.on("data", note)
      child.once("exit", () => reject(this.failure("ended")))
    })
    while (!(await isReady(port))) {
      if (now() - from > patience) throw this.failure("was not ready in time")
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return now() - from
  }

  async stop(): Promise<void> {
    const child = this.running
    if (child === undefined || child.exitCode !== null) return
    const gone = new Promise((resolve) => child.once("exit", resolve))
    child.kill("SIGTERM")
    await gone
  }

  /** kill -9 of Node, Postgres with all its workers, and NATS. */
  async killEverything(): Promise<void> {
    const child = this.running
    const gone = new Promise((resolve) => child?.once("exit", resolve))
    this.killAll()
    if (child !== undefined && child.exitCode === null && child.signalCode === null) await gone
  }

  /** Asks its Postgres, over a connection of our own. */
  query<R extends object>(text: string): Promise<ReadonlyArray<R>> {
    const { port, password } = JSON.parse(readFileSync(join(this.home, "troupe/postgres.json"), "utf8")) as {
      port: number
      password: string
    }
    const url = Redacted.make(`postgres://postgres:${password}@127.0.0.1:${port}/postgres`)
    return Effect.runPromise(
      Effect.flatMap(Sql, (sql) => sql.cold<R>(text, [])).pipe(Effect.provide(Sql.layer(url))),
    )
  }

  remove(): void {
    this.killAll()
    homes.delete(this)
    rmSync(this.home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  }

  private killAll(): void {
    const nats = join(this.home, "troupe/nats/nats.pid")
    const pids = [
      this.pid,
      ...(existsSync(nats) ? [Number(readFileSync(nats, "utf8"))] : []),
      ...processesIn(join(this.home, "troupe/postgres/data")),
    ]
    for (const pid of pids) if (pid > 0) signal(pid, "SIGKILL")
  }

  private failure(what: string): Error {
    return new Error(`Troupe ${what}. Its last words:\n${this.log.slice(-4_000)}`)
  }
}

const isReady = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/readyz`).then(
    (answer) => answer.status === 200,
    () => false,
  )
