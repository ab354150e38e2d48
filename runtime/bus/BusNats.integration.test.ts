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
)
