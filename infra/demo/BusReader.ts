/**
 * Reads what passed on the bus as anybody may: with the read-only inspector user of the context file, from the stream. A
 * subscription would miss what passes while the runtime is down, and after a crash the bus may be on another port.
 */
import { connect, type NatsConnection } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"

interface Inspector {
  readonly url: string
  readonly user: string
  readonly password: string
  readonly inbox_prefix: string
}

interface Stored {
  readonly message?: { readonly subject: string }
}

/** The subjects of everything that passed in the rooms so far, in order; reads on where it stopped. Lasts as long as the bus. */
export const openBus = Effect.fnUntraced(function* (contextFile: string) {
  const inspector = JSON.parse(readFileSync(contextFile, "utf8")) as Inspector
  const connection = yield* Effect.acquireRelease(
    Effect.promise(() =>
      connect({
        servers: inspector.url,
        user: inspector.user,
        pass: inspector.password,
        inboxPrefix: inspector.inbox_prefix,
        reconnect: false,
      }),
    ),
    (open) => Effect.promise(() => open.close()).pipe(Effect.ignore),
  )
  const { streams } = yield* ask<{ streams: ReadonlyArray<string> }>(connection, "STREAM.NAMES", {})
  const rooms = streams.find((name) => name.startsWith("ROOMS_"))!
  const subjects: Array<string> = []
  return Effect.gen(function* () {
    for (;;) {
      const seq = subjects.length + 1
      const { message } = yield* ask<Stored>(connection, `STREAM.MSG.GET.${rooms}`, { seq })
      if (message === undefined) return [...subjects]
      subjects.push(message.subject)
    }
  })
})

const ask = <A>(connection: NatsConnection, what: string, body: unknown): Effect.Effect<A> =>
  Effect.promise(async () => {
    const answer = await connection.request(`$JS.API.${what}`, JSON.stringify(body), { timeout: 5_000 })
    return answer.json<A>()
  })
