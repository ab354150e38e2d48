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
let lastAt = 0

const arm = (point: KillPoint): void => {
  armed = point
  left = point.nth ?? 1
}

Object.assign(globalThis, {
  killAt: (when: KillPoint["when"], text: string) => {
    lastAt = performance.now()
    if (armed === undefined || armed.when !== when || !text.includes(armed.statement)) return
    if (--left === 0) process.kill(process.pid, "SIGKILL")
  },
})

// For the start itself.
const point = process.env["TROUPE_E2E_KILL_AT"]
if (point !== undefined) arm(JSON.parse(point) as KillPoint)

/** What was asked before has been written to its end when no statement has been sent or answered for so long. */
const quiet = 60
process.on("message", (next: KillPoint) => {
  const look = () => {
    if (performance.now() - lastAt < quiet) return void setTimeout(look, 5)
    arm(next)
    process.send?.("armed")
  }
  look()
})
// The channel to the test is no reason to stay alive.
process.channel?.unref()
