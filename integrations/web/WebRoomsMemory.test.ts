import * as WebRoomsMemory from "./WebRoomsMemory.ts"
import { suite } from "./WebRoomsSuite.ts"
import { calm } from "./WebTest.ts"

suite("memory", WebRoomsMemory.layer(calm))
