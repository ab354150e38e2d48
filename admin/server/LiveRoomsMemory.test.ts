import * as LiveRoomsMemory from "./LiveRoomsMemory.ts"
import { suite } from "./LiveRoomsSuite.ts"
import { calm } from "./ServerTest.ts"

suite("memory", LiveRoomsMemory.layer(calm))
