import { Sessions } from "./Sessions.ts"
import { suite } from "./SessionsSuite.ts"

suite("memory", Sessions.layerMemory)
