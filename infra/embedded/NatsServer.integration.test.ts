import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream"
import { connect, type NatsConnection } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { spawn } from "node:child_process"
import { readFileSync, statSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { NatsPermissions } from "../../runtime/index.ts"
import { testDirectory } from "../testing/index.ts"
import { openHome } from "./Home.ts"
import { greet } from "./NatsHandshake.ts"
import { startNats } from "./NatsServer.ts"
import { commandOf } from "./Processes.ts"

const home = join(testDirectory(), "home")

const start = async (path: string) => {
  const scope = Scope.makeUnsafe()
  const server = await Effect.runPromise(openHome(path).pipe(Effect.flatMap(startNats), Scope.provide(scope)))
  const runtime = await connect({
    servers: server.url,
    user: server.user,
    pass: Redacted.value(server.password),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 20,
  })
  return {
    ...server,
    runtime,
    pid: () => {
      const now = SubscriptionRef.getUnsafe(server.status)
      return now._tag === "Running" ? now.pid : 0
    },
    stop: async () => {
      await runtime.close()
      await Effect.runPromise(Scope.close(scope, Exit.void))
    },
  }
}

let server: Awaited<ReturnType<typeof start>>
let inspector: NatsConnection
const readInspector = () =>
  JSON.parse(readFileSync(join(home, "nats/inspector.json"), "utf8")) as Record<
    "url" | "user" | "password" | "context",
    string
  >

beforeAll(async () => {
  server = await start(home)
  const { url, user, password } = readInspector()
  inspector = await connect({
    servers: url,
    user,
    pass: password,
    inboxPrefix: NatsPermissions.inboxOf(user),
  })
  const manager = await jetstreamManager(server.runtime)
  await manager.streams.add({ name: "ROOMS_one", subjects: ["troupe.one.thread.>"] })
  await manager.consumers.add("ROOMS_one", { durable_name: "agent", ack_policy: AckPolicy.Explicit })
  await jetstream(server.runtime).publish("troupe.one.thread.d.t.message", "first")
})
afterAll(async () => {
  await inspector.close()
  await server.stop()
})

/** A short timeout: a request that a killed server swallowed is repeated by whoever polls. */
const stored = async () =>
  (await (await jetstreamManager(server.runtime, { timeout: 300 })).streams.info("ROOMS_one")).state.messages

it("lets nobody in without a password, nor with a wrong one", async () => {
  await expect(connect({ servers: server.url, reconnect: false })).rejects.toThrow(/Authorization/i)
  const wrong = connect({ servers: server.url, user: "runtime", pass: "wrong", reconnect: false })
  await expect(wrong).rejects.toThrow(/Authorization/i)
})

it("tells a server that refuses strangers from one that lets them in", async () => {
  const open = createServer((socket) => {
    socket.write("INFO {}\r\n")
    socket.on("data", () => socket.write("PONG\r\n"))
  })
  await new Promise<void>((resolve) => open.listen(0, "127.0.0.1", resolve))
  const address = open.address()
  const port = typeof address === "object" ? (address?.port ?? 0) : 0
  expect(await Effect.runPromise(greet(port))).toBe("admitted")
  expect(await Effect.runPromise(greet(server.port))).toBe("refused")
  await new Promise((resolve) => open.close(resolve))
  expect(await Effect.runPromise(greet(port))).toBe("silent")
})

it("lets the inspector hear every room, read the streams and see the consumers", async () => {
  const heard = inspector.subscribe("troupe.>", { max: 2 })
  await inspector.flush()
  server.runtime.publish("troupe.one.live.t.a", "delta")
  await jetstream(server.runtime).publish("troupe.one.thread.d.t.message", "second")
  const words: Array<string> = []
  for await (const message of heard) words.push(message.string())
  expect(words.sort()).toEqual(["delta", "second"])
  const manager = await jetstreamManager(inspector)
  expect((await manager.streams.getMessage("ROOMS_one", { seq: 1 }))?.string()).toBe("first")
  expect((await manager.consumers.info("ROOMS_one", "agent")).name).toBe("agent")
})

it("lets the inspector write, delete, take and overhear nothing", async () => {
  const before = await stored()
  const manager = await jetstreamManager(inspector)
  const js = jetstream(inspector)
  await expect(js.publish("troupe.one.thread.d.t.message", "forged")).rejects.toThrow(
    /permissions violation/i,
  )
  await expect(manager.streams.purge("ROOMS_one")).rejects.toThrow(/permissions violation/i)
  await expect(manager.streams.delete("ROOMS_one")).rejects.toThrow(/permissions violation/i)
  await expect(manager.consumers.delete("ROOMS_one", "agent")).rejects.toThrow(/permissions violation/i)
  await expect(manager.consumers.add("ROOMS_one", { durable_name: "spy" })).rejects.toThrow(
    /permissions violation/i,
  )
  await expect(inspector.request("$JS.API.CONSUMER.MSG.NEXT.ROOMS_one.agent", "1")).rejects.toThrow(
    /permissions violation/i,
  )
  await expect(inspector.request("troupe.one.say.web.t", "{}")).rejects.toThrow(/permissions violation/i)
  const replies = inspector.subscribe("_INBOX.>")
  const overheard = (async () => {
    for await (const message of replies) throw new Error(`heard ${message.subject}`)
  })()
  await expect(overheard).rejects.toThrow(/permissions violation/i)
  inspector.publish("troupe.one.thread.d.t.message", "forged")
  await inspector.flush()
  expect(await stored()).toBe(before)
  const consumer = await (await jetstreamManager(server.runtime)).consumers.info("ROOMS_one", "agent")
  expect(consumer.num_pending).toBe(before)
})

it("keeps its passwords in files that only we may read, and out of the command it prints", () => {
  const { context, password } = readInspector()
  for (const name of ["access.json", "nats.conf", "inspector.json"]) {
    expect(statSync(join(home, "nats", name)).mode & 0o777).toBe(0o600)
  }
  expect(context).toBe(join(home, "nats/inspector.json"))
  expect(server.listen).toBe(`nats --context ${context} sub 'troupe.>'`)
  expect(server.listen).not.toContain(password)
})

it("comes back by itself at the same address with every acknowledged message", async () => {
  const js = jetstream(server.runtime)
  for (let round = 0; round < 3; round++) {
    await Promise.all(
      Array.from({ length: 50 }, (_, n) => js.publish("troupe.one.thread.d.t.message", `${round} ${n}`)),
    )
    const before = await stored()
    const dead = server.pid()
    process.kill(dead, "SIGKILL")
    await expect.poll(() => server.pid() || dead, { timeout: 10_000, interval: 5 }).not.toBe(dead)
    await expect.poll(() => stored().catch(() => 0), { timeout: 10_000, interval: 20 }).toBe(before)
  }
})

it("stops cleanly with its scope and has the same address and messages at the next start", async () => {
  const before = await stored()
  const { url } = server
  const pid = server.pid()
  await server.stop()
  expect(() => process.kill(pid, 0)).toThrow("ESRCH")
  server = await start(home)
  expect(server.url).toBe(url)
  expect(await stored()).toBe(before)
})

it("takes another port when a stranger has its own", async () => {
  const path = join(testDirectory(), "home")
  const first = await start(path)
  const { port } = first
  await first.stop()
  const stranger = createServer()
  await new Promise<void>((resolve) => stranger.listen(port, "127.0.0.1", resolve))
  const second = await start(path)
  expect(second.port).not.toBe(port)
  await second.stop()
  await new Promise((resolve) => stranger.close(resolve))
})

it("takes the place of what a killed Troupe left running", async () => {
  const path = join(testDirectory(), "home")
  const code = `
    import * as Effect from "${import.meta.resolve("effect/Effect")}"
    import { openHome, startNats } from "${new URL("index.ts", import.meta.url).href}"
    await Effect.runPromise(Effect.scoped(Effect.gen(function* () {
      yield* startNats(yield* openHome(${JSON.stringify(path)}))
      console.log("running")
      yield* Effect.sleep("1 hour")
    })))`
  const holder = spawn(process.execPath, ["--input-type=module", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  await new Promise((resolve) => holder.stdout.once("data", resolve))
  holder.kill("SIGKILL")
  await new Promise((resolve) => holder.once("exit", resolve))
  const left = Number(readFileSync(join(path, "nats/nats.pid"), "utf8"))
  expect(commandOf(left)).toContain("nats.conf")
  const next = await start(path)
  expect(commandOf(left)).toBeUndefined()
  expect(next.url).toBe(
    (JSON.parse(readFileSync(join(path, "nats/inspector.json"), "utf8")) as { url: string }).url,
  )
  await next.stop()
})
