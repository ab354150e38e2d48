/** `npm start`: runs Troupe until it is told to stop, and ends with the exit codes of docs/operations.md. */
import { enableCompileCache } from "node:module"
import { exit } from "node:process"

enableCompileCache()
// Loaded after the cache is on, so that it serves them too.
const { run } = await import("./Run.ts")
exit(await run)
