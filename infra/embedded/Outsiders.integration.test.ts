/** Outside agents on the real server: they come in while it runs, do what they may and nothing else, and nobody is dropped. */
import { jetstream, jetstreamManager, AckPolicy } from "@nats-io/jetstream"
import { connect, type NatsConnection } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { existsSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { NatsPermissions, type AgentId, type DoorId, type WorkspaceId } from "../../runtime/index.ts"
import { testDirectory } from "../testing/index.ts"
import { openHome } from "./Home.ts"
import { startNats } from "./NatsServer.ts"

const ws = "one" as WorkspaceId
const door = "d" as DoorId
const home = join(testDirectory(), "home")
const outsider = (name: string) => ({
  id: `id${name}`,
  name,
  may: NatsPermissions.outside(ws, { id: `id${name}` as AgentId, name }, [door]),
  about: { agent: `id${name}` },
})
const file = (name: string) => join(home, "nats", `${name}.json`)
const enter = (name: string) => {
  const { url, user, password, inbox_prefix } = JSON.parse(readFileSync(file(name), "utf8")) as Record<
    "url" | "user" | "password" | "inbox_prefix",
    string
  >
  return connect({ servers: url, user, pass: password, inboxPrefix: inbox_prefix, reconnect: false })
}

const scope = Scope.makeUnsafe()
let server: Effect.Success<ReturnType<typeof startNats>>
let runtime: NatsConnection
let eve: NatsConnection
const admit = (...names: ReadonlyArray<string>) => Effect.runPromise(server.admit(names.map(outsider)))
const drops: Array<string> = []

beforeAll(async () => {
  server = await Effect.runPromise(openHome(home).pipe(Effect.flatMap(startNats), Scope.provide(scope)))
  runtime = await connect({ servers: server.url, user: server.user, pass: Redacted.value(server.password) })
  void (async () => {
    for await (const status of runtime.status()) drops.push(status.type)
  })()
  const manager = await jetstreamManager(runtime)
  await manager.streams.add({ name: "ROOMS_one", subjects: ["troupe.one.thread.>"] })
  for (const name of ["ideve_d", "idmax_d"])
    await manager.consumers.add("ROOMS_one", { durable_name: name, ack_policy: AckPolicy.Explicit })
  await jetstream(runtime).publish("troupe.one.thread.d.t.message", '{"text":"first"}')
  runtime.subscribe("troupe.one.say.*.*", { callback: (_, m) => void m.respond(m.subject) })
  await runtime.flush()
  await admit("eve", "max")
  eve = await enter("eve")
})
afterAll(async () => {
  await eve.close()
  await runtime.close()
  await Effect.runPromise(Scope.close(scope, Exit.void))
})

it("an outside agent hears through its own consumer, acknowledges, and says as itself", async () => {
  // What comes has the subject of the room, not of the request: it is told by the subscription.
  const next = await eve.request("$JS.API.CONSUMER.MSG.NEXT.ROOMS_one.ideve_d", "1", {
    noMux: true,
    timeout: 2000,
  })
  expect(next.json()).toEqual({ text: "first" })
  eve.publish(next.reply!, "+ACK")
  await eve.flush()
  const manager = await jetstreamManager(runtime)
  await expect
    .poll(async () => (await manager.consumers.info("ROOMS_one", "ideve_d")).ack_floor.stream_seq)
    .toBe(1)
  // A JetStream client asks for its consumer first.
  const consumer = await jetstream(eve).consumers.get("ROOMS_one", "ideve_d")
  expect((await consumer.info()).name).toBe("ideve_d")
  expect((await eve.request("troupe.one.say.ideve.t", "{}")).string()).toBe("troupe.one.say.ideve.t")
  expect(JSON.parse(readFileSync(file("eve"), "utf8"))).toMatchObject({
    agent: "ideve",
    context: file("eve"),
  })
  expect(statSync(file("eve")).mode & 0o777).toBe(0o600)
})

it.each([
  ["speak as another", "troupe.one.say.idmax.t"],
  ["publish in a room", "troupe.one.thread.d.t.message"],
  ["command", "troupe.one.control.stop"],
  ["stream live words", "troupe.one.live.t.a"],
  ["take another's words", "$JS.API.CONSUMER.MSG.NEXT.ROOMS_one.idmax_d"],
  ["acknowledge for another", "$JS.ACK.ROOMS_one.idmax_d.1.1.1.1.0"],
  ["make a consumer", "$JS.API.CONSUMER.CREATE.ROOMS_one"],
  ["delete its consumer", "$JS.API.CONSUMER.DELETE.ROOMS_one.ideve_d"],
  ["read the stream", "$JS.API.STREAM.MSG.GET.ROOMS_one"],
  ["purge", "$JS.API.STREAM.PURGE.ROOMS_one"],
  ["ask services", "$SRV.PING"],
])("an outside agent cannot %s", async (_, subject) => {
  await expect(eve.request(subject, "{}", { timeout: 2000 })).rejects.toThrow(/permissions violation/i)
})

it.each(["troupe.>", "troupe.one.thread.d.*.message", "_INBOX.>", "_INBOX_max.>", "$JS.EVENT.>", "$SRV.>"])(
  "an outside agent cannot listen on %s",
  async (subject) => {
    const listening = (async () => {
      for await (const m of eve.subscribe(subject)) throw new Error(`heard ${m.subject}`)
    })()
    await expect(listening).rejects.toThrow(/permissions violation/i)
  },
)

it("what the server is led to send with its own rights destroys nothing", async () => {
  const manager = await jetstreamManager(runtime)
  const say = { id: "1", text: "x" }
  const before = await manager.streams.info("ROOMS_one")
  for (const reply of ["$JS.API.STREAM.PURGE.ROOMS_one", "$JS.API.STREAM.DELETE.ROOMS_one"]) {
    await jetstream(runtime).publish("troupe.one.thread.d.t.message", JSON.stringify(say))
    eve.publish("$JS.API.CONSUMER.MSG.NEXT.ROOMS_one.ideve_d", "1", { reply })
  }
  const heard = async () => (await manager.consumers.info("ROOMS_one", "ideve_d")).delivered.consumer_seq
  await expect.poll(heard).toBe(3)
  const after = await manager.streams.info("ROOMS_one")
  expect(after.state.messages).toBe(before.state.messages + 2)
})

it("who joins, stays or leaves drops nobody else, and who left is out at once", async () => {
  const max = await enter("max")
  const gone = max.closed()
  await admit("eve", "tom")
  await gone
  expect(existsSync(file("max"))).toBe(false)
  const tom = await enter("tom")
  expect((await eve.request("troupe.one.say.ideve.t", "{}")).string()).toContain("ideve")
  expect(drops).toEqual([])
  await tom.close()
  // Who comes back has another password.
  const before = readFileSync(file("tom"), "utf8")
  await admit("eve")
  await admit("eve", "tom")
  expect(readFileSync(file("tom"), "utf8")).not.toBe(before)
})
