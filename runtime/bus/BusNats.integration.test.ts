import { connect } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { testNats, testWorkspace } from "../../infra/testing/index.ts"
import type { WorkspaceId } from "../room/Id.ts"
import { suite } from "./Bus.contract.ts"
import { layer } from "./BusNats.ts"

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
