import * as AccountsMemory from "./AccountsMemory.ts"
import { suite } from "./AccountsSuite.ts"

suite("memory", AccountsMemory.layer)
