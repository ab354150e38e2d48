/**
 * One network namespace a sprite, with nothing in it but its own loopback: commands, services and the file server of a
 * sprite reach each other on 127.0.0.1 and nobody else. bubblewrap makes it in a moment's process; afterwards it lives
 * by the descriptors that this server holds, so nothing inside a sandbox can end it or put another in its place.
 *
 * Where a namespace cannot be entered again (`nsenter` missing or forbidden), `probe` says why, and each command keeps
 * a network of its own, as bubblewrap gives it.
 */
import { spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import type { Tools } from "../Isolation.ts"
import { defaultPath } from "../Wire.ts"

const makeMillis = 10_000

/** What `nsenter` is given: files that stand for the namespaces. */
export interface Network {
  /** Owns the network; undefined when the server is root and needs no user namespace. */
  readonly user: string | undefined
  readonly net: string
}

interface Held {
  readonly network: Network
  readonly descriptors: ReadonlyArray<number>
}

export class Networks {
  readonly #tools: Tools
  readonly #held = new Map<string, Promise<Held>>()
  readonly #ready = new Map<string, Held>()

  constructor(tools: Tools) {
    this.#tools = tools
  }

  /** Makes the network of a sprite unless it has one; rejects with one sentence. */
  async ready(name: string): Promise<void> {
    const making = this.#held.get(name) ?? make(this.#tools)
    this.#held.set(name, making)
    try {
      const held = await making
      if (this.#held.get(name) === making) this.#ready.set(name, held)
    } catch (cause) {
      this.#held.delete(name)
      throw cause
    }
  }

  of(name: string): Network | undefined {
    return this.#ready.get(name)?.network
  }

  /** The kernel frees it once the last process in it is gone. */
  end(name: string): void {
    const making = this.#held.get(name)
    this.#held.delete(name)
    this.#ready.delete(name)
    making?.then(release, () => {})
  }

  close(): void {
    for (const name of this.#held.keys()) this.end(name)
  }
}

export const enter = (tools: Tools, network: Network): ReadonlyArray<string> => [
  tools.nsenter ?? "nsenter",
  ...(network.user === undefined ? [] : [`--user=${network.user}`, "--preserve-credentials"]),
  `--net=${network.net}`,
  "--",
]

/** Undefined when a network can be made and entered again, else one sentence on why not. */
export const probe = async (tools: Tools): Promise<string | undefined> => {
  if (tools.nsenter === undefined) return "the program `nsenter` (package util-linux) is missing."
  try {
    const held = await make(tools)
    const [file = "nsenter", ...rest] = [...enter(tools, held.network), ...launcher(tools), "--", "/bin/true"]
    const tried = spawnSync(file, rest, { encoding: "utf8", timeout: 10_000, env: { PATH: defaultPath } })
    release(held)
    if (tried.status === 0) return undefined
    return `a network cannot be entered again (${tried.stderr.trim().split("\n")[0]}).`
  } catch (cause) {
    return `a network cannot be made (${cause instanceof Error ? cause.message : String(cause)}).`
  }
}

/** No /dev: with one, bubblewrap would put a second user namespace around the first, which owns the network. */
const launcher = (tools: Tools): ReadonlyArray<string> => [
  tools.bwrap ?? "bwrap",
  ...(process.getuid?.() === 0 ? [] : ["--unshare-user", "--uid", "1000", "--gid", "1000"]),
  "--die-with-parent",
  "--ro-bind", "/", "/",
] // prettier-ignore

const make = (tools: Tools): Promise<Held> => {
  const { promise, resolve, reject } = Promise.withResolvers<Held>()
  const [file = "bwrap", ...options] = launcher(tools)
  // `cat` waits for the end of its input, which is also the end of this process.
  const child = spawn(
    file,
    [...options, "--unshare-net", "--info-fd", "3", "--", "/bin/sh", "-c", "echo up; exec cat"],
    {
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      env: { PATH: defaultPath },
    },
  )
  let info = ""
  let said = ""
  child.stdio[3]?.on("error", () => {}).on("data", (bytes: Buffer) => (info += bytes.toString("latin1")))
  child.stderr?.on("data", (bytes: Buffer) => (said += bytes.toString("utf8")))
  child.stdin?.on("error", () => {})
  child.stdout?.once("data", () =>
    setImmediate(() => {
      const pid = /"child-pid":\s*(\d+)/.exec(info)?.[1]
      try {
        resolve(hold(pid))
      } catch (cause) {
        reject(cause instanceof Error ? cause : new Error(String(cause)))
      }
      child.stdin?.end()
    }),
  )
  const timer = setTimeout(() => child.kill("SIGKILL"), makeMillis)
  child.on("error", reject).on("exit", (code) => {
    clearTimeout(timer)
    reject(new Error(said.trim().split("\n")[0] || `it ended with ${code ?? "a signal"}`))
  })
  return promise
}

const hold = (pid: string | undefined): Held => {
  if (pid === undefined) throw new Error("bubblewrap did not say which process it started")
  const net = fs.openSync(`/proc/${pid}/ns/net`, "r")
  const path = (descriptor: number) => `/proc/${process.pid}/fd/${descriptor}`
  if (process.getuid?.() === 0) return { network: { user: undefined, net: path(net) }, descriptors: [net] }
  const user = fs.openSync(`/proc/${pid}/ns/user`, "r")
  return { network: { user: path(user), net: path(net) }, descriptors: [net, user] }
}

const release = ({ descriptors }: Held): void => {
  for (const descriptor of descriptors) fs.closeSync(descriptor)
}
