/** The service as the NATS CLI sees it: the same requests that `nats micro ping|ls|info|stats` and `nats req` send. */
import { connect, type Msg, type NatsConnection } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { afterAll, beforeAll, expect, it } from "vitest"
import { testNats, testWorkspace } from "../../infra/testing/index.ts"
import type { WorkspaceId } from "../room/Id.ts"
import { Bus } from "./Bus.ts"
import { layer } from "./BusNats.ts"

const ws = testWorkspace() as WorkspaceId
const name = `svc_${ws}`
const { url, user, password } = testNats()
const served = Layer.effectDiscard(
  Effect.flatMap(Bus, (bus) =>
    bus.serve({
      name,
      version: "1.2.3",
      description: "A test",
      endpoints: [
        {
          name: "echo",
          subject: `troupe.${ws}.echo.*`,
          handle: (subject, payload) =>
            Effect.succeed(payload === "bad" ? { error: "It is bad." } : { subject, payload }),
        },
      ],
    }),
  ),
)
const runtime = ManagedRuntime.make(
  served.pipe(Layer.provide(layer({ url, user, password: Redacted.make(password) }, ws))),
)
let cli: NatsConnection

beforeAll(async () => {
  cli = await connect({ servers: url, user, pass: password })
  await runtime.runPromise(Effect.void)
})
afterAll(async () => {
  await cli.close()
  await runtime.dispose()
})

const ask = async (verb: string) =>
  (await cli.request(`$SRV.${verb}.${name}`)).json<Record<string, unknown>>()

it("is found and described", async () => {
  const ping = await ask("PING")
  expect(ping).toEqual({
    type: "io.nats.micro.v1.ping_response",
    name,
    id: expect.any(String),
    version: "1.2.3",
    metadata: {},
  })
  const info = await ask(`INFO`)
  expect(info).toMatchObject({
    type: "io.nats.micro.v1.info_response",
    description: "A test",
    endpoints: [{ name: "echo", subject: `troupe.${ws}.echo.*`, queue_group: "troupe" }],
  })
  const one = await cli.request(`$SRV.INFO.${name}.${String(ping["id"])}`)
  expect(one.json()).toEqual(info)
  // `nats micro ls` asks all services there are, and gathers.
  const all: Array<string> = []
  for await (const m of await cli.requestMany("$SRV.PING", "", { maxWait: 300, strategy: "stall" }))
    all.push(m.json<{ name: string }>().name)
  expect(all).toContain(name)
})

it("answers requests, and counts them and their errors", async () => {
  const good = await cli.request(`troupe.${ws}.echo.a`, "hello")
  expect(good.json()).toEqual({ subject: `troupe.${ws}.echo.a`, payload: "hello" })
  const bad = await cli.request(`troupe.${ws}.echo.a`, "bad")
  expect(bad.json()).toEqual({ error: "It is bad." })
  expect(bad.headers?.get("Nats-Service-Error")).toBe("It is bad.")
  const stats = await ask("STATS")
  expect(stats).toMatchObject({
    type: "io.nats.micro.v1.stats_response",
    endpoints: [{ name: "echo", num_requests: 2, num_errors: 1, last_error: "400:It is bad." }],
  })
})

it("answers an inbox only: nobody borrows our right to publish", async () => {
  const heard: Array<Msg> = []
  cli.subscribe(`troupe.${ws}.thread.>`, { callback: (_, m) => void heard.push(m) })
  await cli.flush()
  const reply = `troupe.${ws}.thread.d.t.message`
  cli.publish(`troupe.${ws}.echo.a`, "forged", { reply })
  cli.publish(`$SRV.INFO.${name}`, "", { reply })
  cli.publish(`troupe.${ws}.echo.a`, "no reply")
  // The server keeps the order of one connection: when this is answered, those before it were heard.
  await cli.request(`troupe.${ws}.echo.a`, "after")
  await cli.flush()
  expect(heard).toEqual([])
})
