/** Somebody on the page of an installation: speaks over HTTP, and hears on the bus what becomes of it. */
import { connect } from "@nats-io/transport-node"
import { randomUUID } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { now } from "./Child.ts"
import type { Installation } from "./Installation.ts"

interface Heard {
  readonly kind: string
  readonly message?: string
  readonly replyTo?: string | null
  readonly verdict?: string
}

export const pageUser = async (troupe: Installation) => {
  const home = join(troupe.home, "troupe")
  const token = readFileSync(join(home, "cli.token"), "utf8").trim()
  const inspector = JSON.parse(readFileSync(join(home, "nats/inspector.json"), "utf8")) as {
    readonly url: string
    readonly user: string
    readonly password: string
  }
  const bus = await connect({ servers: inspector.url, user: inspector.user, pass: inspector.password })
  /** What came for a message, each with its time. */
  const seen = new Map<string, Array<{ readonly at: number; readonly event: Heard }>>()
  const waiting = new Map<string, () => void>()
  bus.subscribe("troupe.*.thread.>", {
    callback: (_, m) => {
      const event = m.json<Heard>()
      const about =
        event.kind === "message" ? event.replyTo : event.kind === "intent" ? event.message : undefined
      if (about === undefined || about === null) return
      seen.set(about, [...(seen.get(about) ?? []), { at: now(), event }])
      waiting.get(about)?.()
    },
  })
  await bus.flush()
  const post = async <A>(path: string, body: object): Promise<A> => {
    const answer = await fetch(`http://127.0.0.1:${troupe.port}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as A
  }
  return {
    open: async (title: string) => (await post<{ id: string }>("/api/rooms", { title })).id,
    /** Says it, and waits for `count` events of this kind about it; milliseconds from saying it to the last of them. */
    say: async (room: string, text: string, kind: "intent" | "message", count: number): Promise<number> => {
      const from = now()
      const { event } = await post<{ event: string }>(`/api/rooms/${room}/say`, { id: randomUUID(), text })
      const these = () => (seen.get(event) ?? []).filter((s) => s.event.kind === kind)
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`only ${these().length} of ${count} came`)), 20_000)
        const look = () => {
          if (these().length < count) return
          clearTimeout(late)
          waiting.delete(event)
          resolve()
        }
        waiting.set(event, look)
        look()
      })
      const took = these()[count - 1]!.at - from
      seen.delete(event)
      return took
    },
    leave: () => bus.close(),
  }
}
