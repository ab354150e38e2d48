import * as Effect from "effect/Effect"
import type { WorkspaceId } from "../room/Id.ts"
import { suite } from "./Bus.contract.ts"
import { BusMemory } from "./BusMemory.ts"

suite("the bus in memory", "memory" as WorkspaceId, BusMemory.layer, (subject, payload) =>
  Effect.flatMap(BusMemory, (memory) => memory.request(subject, payload)),
)
