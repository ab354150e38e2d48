import { SessionStore } from "./SessionStore.ts"
import { suite } from "./SessionStoreSuite.ts"

suite("memory", SessionStore.layerMemory)
