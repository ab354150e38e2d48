/** A local Sprites server for tests: a process of its own, with its own directory, that is killed as a crash would. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { connect, createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface TestSprites {
  readonly url: string
  readonly token: string
  /** Kills the server, then starts it again on the same port with the same files. */
  readonly restart: () => Promise<void>
  readonly stop: () => Promise<void>
}

const server = new URL("../../infra/embedded/sprites/index.ts", import.meta.url).href

const program = (options: object) => `
import * as Effect from "effect/Effect"
import { start } from ${JSON.stringify(server)}
const run = start(${JSON.stringify(options)}).pipe(
  Effect.tap(({ url }) => Effect.sync(() => console.log("ready " + url))),
  Effect.andThen(Effect.never),
)
await Effect.runPromise(Effect.scoped(run))`

export const startSprites = async (): Promise<TestSprites> => {
  const home = mkdtempSync(join(tmpdir(), "troupe-test-sprites-"))
  chmodSync(home, 0o711)
  const options = { home, file: join(home, "sprites.json"), token: "test", unsafeLocalExec: true }
  const open = async (port?: number) => {
    const child = spawn(
      process.execPath,
      ["--input-type=module", "-e", program(port === undefined ? options : { ...options, port })],
      {
        cwd: import.meta.dirname,
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, TMPDIR: home },
      },
    )
    const url = await new Promise<string>((resolve, reject) => {
      let said = ""
      child.stdout.on("data", (chunk) => {
        said += String(chunk)
        const ready = /ready (\S+)\n/.exec(said)?.[1]
        if (ready !== undefined) resolve(ready)
      })
      child.once("exit", (code) => reject(new Error(`The Sprites server ended with ${code}: ${said}`)))
    })
    return {
      url,
      kill: async () => {
        const gone = once(child, "exit")
        child.kill("SIGKILL")
        await gone
      },
    }
  }
  let running = await open()
  const { url } = running
  return {
    url,
    token: options.token,
    restart: async () => {
      await running.kill()
      running = await open(Number(new URL(url).port))
    },
    stop: async () => {
      await running.kill()
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

export interface Wire {
  readonly url: string
  /** Cuts every connection that goes through it, without a goodbye. */
  readonly cut: () => void
  readonly close: () => Promise<void>
}

/** A network between us and a server, which a test can break. */
export const startWire = async (url: string): Promise<Wire> => {
  const port = Number(new URL(url).port)
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1")
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one)
      one.on("error", () => {}).on("close", () => (open.delete(one), other.destroy()))
      one.pipe(other)
    }
  })
  await once(server.listen(0, "127.0.0.1"), "listening")
  const cut = () => {
    for (const socket of open) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    close: async () => {
      const closed = once(server, "close")
      server.close()
      cut()
      await closed
    },
  }
}
