/**
 * Preloaded into the runtime under test (`node --import ./infra/e2e/killAt.ts infra/main.ts`): lets the test kill the process by
 * SIGKILL exactly before a statement of the hot path is sent, or the moment its answer arrived, on its n-th execution. Nothing
 * in the product knows of it: the one line that sends statements is changed while it is loaded, and a source that does not
 * hold that line exactly once is refused.
 */
import { registerHooks } from "node:module"
import process from "node:process"
import type { KillPoint } from "./KillPoint.ts"

const sends = "client.unsafe(text, params as Array<never>, { prepare: true }).then("
const watched = sends
  .replace("client", `(globalThis.killAt("before", text), client`)
  .replace(".then(", `).then((rows) => (globalThis.killAt("after", text), rows)).then(`)

registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context)
    if (!url.endsWith("/runtime/store/Sql.ts")) return loaded
    const parts = String(loaded.source).split(sends)
    if (parts.length !== 2)
      throw new Error(`killAt.ts no longer fits ${url}: look for where it sends statements.`)
    return { ...loaded, source: parts.join(watched) }
  },
})

let armed: KillPoint | undefined
let left = 0

Object.assign(globalThis, {
  killAt: (when: KillPoint["when"], text: string) => {
    if (armed === undefined || armed.when !== when || !text.includes(armed.statement)) return
    if (--left === 0) process.kill(process.pid, "SIGKILL")
  },
})

process.on("message", (point: KillPoint) => {
  armed = point
  left = point.nth ?? 1
  process.send?.("armed")
})
// The channel to the test is no reason to stay alive.
process.channel?.unref()
