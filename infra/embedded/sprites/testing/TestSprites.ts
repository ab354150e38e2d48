/** A local Sprites server on a home of its own for one test file, spoken to by the real client over real sockets. */
import { type Sprite, type SpriteCommand, SpritesClient } from "@fly/sprites"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as os from "node:os"
import { join } from "node:path"
import { type LocalSprites, type Options, start } from "../LocalSprites.ts"

export interface TestServer extends LocalSprites {
  readonly home: string
  readonly client: SpritesClient
  readonly stop: () => Promise<void>
}

export const temporaryHome = (): string => {
  const home = fs.mkdtempSync(join(os.tmpdir(), "troupe-test-sprites-"))
  fs.chmodSync(home, 0o711)
  return home
}

export const remove = (home: string): void => fs.rmSync(home, { recursive: true, force: true })

/** Without `home` it gets one that goes with it. */
export const serve = async (options: Partial<Options> = {}): Promise<TestServer> => {
  const home = options.home ?? temporaryHome()
  const scope = Scope.makeUnsafe()
  const server = await Effect.runPromise(
    start({ home, file: join(home, "sprites.json"), unsafeLocalExec: false, ...options }).pipe(
      Scope.provide(scope),
    ),
  )
  const client = new SpritesClient(server.token, { baseURL: server.url })
  const stop = async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    if (options.home === undefined) remove(home)
  }
  return { ...server, home, client, stop }
}

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a shell script to its end, whatever its exit code. */
export const bash = (sprite: Sprite, script: string, input = ""): Promise<Outcome> =>
  finished(sprite.spawn("bash", ["-c", script]), input)

export const finished = async (command: SpriteCommand, input?: string | Buffer): Promise<Outcome> => {
  const heard = listen(command)
  await opened(command)
  if (input !== undefined) command.stdin.end(input)
  const code = await command.wait()
  return { code, stdout: heard.stdout(), stderr: heard.stderr() }
}

/** Attach it in the same turn as the command is made: what comes first is not repeated. */
export const listen = (command: SpriteCommand) => {
  const out: Array<Buffer> = []
  const err: Array<Buffer> = []
  const messages: Array<Record<string, unknown>> = []
  command.stdout.on("data", (bytes: Buffer) => out.push(bytes))
  command.stderr.on("data", (bytes: Buffer) => err.push(bytes))
  command.on("message", (message: Record<string, unknown>) => messages.push(message))
  const stdout = () => Buffer.concat(out).toString("utf8")
  return {
    messages,
    stdout,
    stderr: () => Buffer.concat(err).toString("utf8"),
    says: (text: string) => until(`output ${JSON.stringify(text)}`, () => stdout().includes(text)),
  }
}

export const opened = (command: SpriteCommand): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  command.on("spawn", resolve).on("error", reject)
  return promise
}

/** Waits for the outside world, at most `seconds`. */
export const until = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  seconds = 10,
): Promise<void> => {
  const deadline = Date.now() + seconds * 1000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited ${seconds} s in vain for ${what}.`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Processes of this machine whose command line contains `text`. */
export const processesWith = (text: string): ReadonlyArray<string> =>
  fs.readdirSync("/proc").filter((entry) => {
    if (!/^\d+$/.test(entry)) return false
    try {
      return fs.readFileSync(`/proc/${entry}/cmdline`, "utf8").includes(text)
    } catch {
      return false
    }
  })
