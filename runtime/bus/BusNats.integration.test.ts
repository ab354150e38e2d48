import { connect } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { expect, it } from "vitest"
import { testNats, testWorkspace } from "../../infra/testing/index.ts"
import type { DoorId, WorkspaceId } from "../room/Id.ts"
import { suite } from "./Bus.contract.ts"
import { Bus } from "./Bus.ts"
import { layer } from "./BusNats.ts"
import { eventSubject, wordsOf } from "./Subject.ts"

const nats = testNats()
const ws = testWorkspace() as WorkspaceId
suite(
  "the bus on nats-server",
  ws,
  layer({ url: nats.url, user: nats.user, password: Redacted.make(nats.password) }, ws),
  (subject, payload) =>
    Effect.acquireUseRelease(
      Effect.promise(() => connect({ servers: nats.url, user: nats.user, pass: nats.password })),
      (program) =>
        Effect.tryPromise(async () => (await program.request(subject, payload, { timeout: 2000 })).json()),
      (program) => Effect.promise(() => program.close()),
    ),
)

it("hears by durables that are listed once; only missing ones are made", async () => {
  const address = { url: nats.url, user: nats.user, password: Redacted.make(nats.password) }
  const own = testWorkspace() as WorkspaceId
  const watcher = await connect({ servers: nats.url, user: nats.user, pass: nats.password })
  const requests: Array<string> = []
  watcher.subscribe("$JS.API.CONSUMER.>", {
    callback: (_, m) => void requests.push(m.subject.split(".")[3]!),
  })
  await watcher.flush()
  /** Hears words for `count` agents until each has heard them. */
  const hearAll = async (count: number, words: string) => {
    const runtime = ManagedRuntime.make(layer(address, own))
    const bus = await runtime.runPromise(Bus)
    const scope = await Effect.runPromise(Scope.make())
    const heard = new Set<string>()
    for (let i = 0; i < count; i++)
      await Effect.runPromise(
        bus
          .hear({
            durable: `agent${i}_door`,
            filter: wordsOf(own, "door" as DoorId),
            since: new Date(0).toISOString(),
            onMessage: ({ payload, ack }) => {
              if (payload === words) heard.add(`agent${i}`)
              ack()
            },
          })
          .pipe(Effect.provideService(Scope.Scope, scope)),
      )
    await Effect.runPromise(
      bus.publish([{ subject: eventSubject(own, "door", "room", "message"), id: words, payload: words }]),
    )
    while (heard.size < count) await new Promise((resolve) => setTimeout(resolve, 10))
    const asked = requests.splice(0)
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await runtime.dispose()
    return (kind: string) => asked.filter((k) => k === kind).length
  }
  const first = await hearAll(20, "first")
  expect(first("DURABLE") + first("CREATE")).toBe(20)
  const again = await hearAll(21, "again")
  expect([again("LIST"), again("INFO"), again("DURABLE") + again("CREATE")]).toEqual([1, 1, 1])
  await watcher.close()
})
