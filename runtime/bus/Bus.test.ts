import type { WorkspaceId } from "../room/Id.ts"
import { suite } from "./Bus.contract.ts"
import { BusMemory } from "./BusMemory.ts"

suite("the bus in memory", "memory" as WorkspaceId, BusMemory.layer)
