import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { afterAll, describe, expect, it } from "vitest"
import { testNats, testWorkspace } from "../../infra/testing/index.ts"
import type { WorkspaceId } from "../room/Id.ts"
import { suite } from "./Bus.contract.ts"
import { Bus } from "./Bus.ts"
import { layer } from "./BusNats.ts"
import { eventSubject } from "./Subject.ts"

const nats = testNats()
const ws = testWorkspace() as WorkspaceId
suite(
  "the bus on nats-server",
  ws,
  layer({ url: nats.url, user: nats.user, password: Redacted.make(nats.password) }, ws),
)

describe("publishing", () => {
  const runtime = ManagedRuntime.make(
    layer({ url: nats.url, user: nats.user, password: Redacted.make(nats.password) }, ws),
  )
  afterAll(() => runtime.dispose())

  it("fails where no stream stores the subject, and goes on for the others", async () => {
    const bus = await runtime.runPromise(Bus)
    const nowhere = { subject: "nobody.listens", id: "n1", payload: "{}" }
    const stored = {
      subject: eventSubject(ws, "door", "stored", "message"),
      id: "n2",
      payload: "{}",
    }
    const [refused, done] = await Promise.all([
      Effect.runPromiseExit(bus.publish([nowhere])),
      Effect.runPromiseExit(bus.publish([stored])),
    ])
    expect(refused._tag).toBe("Failure")
    expect(done._tag).toBe("Success")
  })
})
