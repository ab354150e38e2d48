/** The live list: the state of every sprite once, then each change, one JSON line each, and a heartbeat in silence. */
import type { ServerResponse } from "node:http"
import type { SpriteStore } from "./SpriteStore.ts"

/** Clients give up a stream after five silent minutes. */
const heartbeatMillis = 20_000
/** A watcher that does not read is let go rather than kept in memory. */
const maxUnread = 4 * 1024 * 1024

export const watchSprites = (
  response: ServerResponse,
  store: SpriteStore,
  prefix: string,
  describe: (name: string) => Record<string, unknown>,
  organization: () => Record<string, unknown>,
): void => {
  const last = new Map<string, string>()
  const send = (value: Record<string, unknown>) => {
    if (response.writableLength > maxUnread) response.destroy()
    else response.write(`${JSON.stringify({ ...value, org: organization() })}\n`)
  }
  const tell = (name: string) => {
    if (!name.startsWith(prefix) || (!store.has(name) && !last.has(name))) return
    const state = store.has(name) ? describe(name) : { name, status: "deleted" }
    if (last.get(name) === JSON.stringify(state)) return
    last.set(name, JSON.stringify(state))
    send(state)
    if (!store.has(name)) last.delete(name)
  }
  response.writeHead(200, { "content-type": "application/x-ndjson" })
  for (const { name } of store.list(prefix)) tell(name)
  const heartbeat = () => send({ type: "heartbeat", timestamp: new Date().toISOString() })
  heartbeat()
  const timer = setInterval(heartbeat, heartbeatMillis)
  store.watchers.add(tell)
  response.on("close", () => {
    clearInterval(timer)
    store.watchers.delete(tell)
  })
}
