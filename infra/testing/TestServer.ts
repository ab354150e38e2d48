/**
 * One child process of a test: started in a directory that outlives it, killed with any signal, started again on the same
 * port and state. Whatever still runs when the test process exits is killed.
 */
import { spawn, type ChildProcess } from "node:child_process"
import { chmodSync, existsSync, mkdtempSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { signal as sendSignal } from "../embedded/Processes.ts"

export interface TestServer {
  readonly url: string
  /** Of the running process; changes with `restart`. */
  readonly pid: number
  /** Sends the signal (SIGKILL by default) and waits for the exit. */
  readonly kill: (signal?: NodeJS.Signals) => Promise<void>
  /** Starts it again after `kill`, with the same url. */
  readonly restart: () => Promise<void>
  /** Ends it for good. */
  readonly stop: () => Promise<void>
}

export interface Command {
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly uid?: number
  readonly gid?: number
  /** The processes that go with it when it is killed by SIGKILL. */
  readonly workers?: () => ReadonlyArray<number>
}

/** A test process that is itself killed must leave no server behind; elsewhere than on Linux its exit handler has to do. */
const dieWithParent = existsSync("/usr/bin/setpriv") ? ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"] : []
const running = new Set<ChildProcess>()
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL")
})

/** Starts `command` and waits until its stderr says `ready`; retries while it its output says `busy`. */
export const serve = async (
  url: string,
  command: Command,
  ready: string,
  busy: RegExp,
  end: NodeJS.Signals,
): Promise<TestServer> => {
  let child = await started(command, ready, busy)
  const kill = async (signal: NodeJS.Signals = "SIGKILL"): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()))
    const workers = signal === "SIGKILL" ? (command.workers?.() ?? []) : []
    child.kill(signal)
    for (const pid of workers) sendSignal(pid, signal)
    await gone
  }
  return {
    url,
    get pid() {
      return child.pid ?? 0
    },
    kill,
    restart: async () => {
      child = await started(command, ready, busy)
    },
    stop: () => kill(end),
  }
}

const started = async (command: Command, ready: string, busy: RegExp): Promise<ChildProcess> => {
  const deadline = Date.now() + 20_000
  for (;;) {
    const result = await attempt(command, ready)
    if (typeof result !== "string") return result
    if (!busy.test(result) || Date.now() > deadline)
      throw new Error(`${command.file} did not start:\n${result}`)
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}

const attempt = (command: Command, ready: string): Promise<ChildProcess | string> =>
  new Promise((resolve, reject) => {
    const { uid, gid } = command
    const as = uid === undefined || gid === undefined ? {} : { uid, gid }
    const [file = command.file, ...args] = [...dieWithParent, command.file, ...command.args]
    const child = spawn(file, args, { ...as, cwd: "/", stdio: ["ignore", "ignore", "pipe"] })
    running.add(child)
    let output = ""
    child.stderr?.on("data", (part: Buffer) => {
      output = (output + part.toString()).slice(-20_000)
      if (output.includes(ready)) resolve(child)
    })
    child.once("error", reject)
    child.once("exit", () => {
      running.delete(child)
      resolve(output)
    })
  })

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() =>
        address !== null && typeof address === "object"
          ? resolve(address.port)
          : reject(new Error("no port")),
      )
    })
  })

/** A new empty directory, open to the user that Postgres runs as when the tests run as root. */
export const openDirectory = (above: string): string => {
  const path = mkdtempSync(join(above, "troupe-test-"))
  chmodSync(path, 0o755)
  return path
}
