/** Listens to the bus as anybody may: with the read-only inspector user of the context file. */
import { connect } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"

interface Inspector {
  readonly url: string
  readonly user: string
  readonly password: string
  readonly inbox_prefix: string
}

/** Answers with the subjects heard so far, live deltas left out. Goes on when the bus comes back. */
export const listenToBus = Effect.fnUntraced(function* (contextFile: string) {
  const inspector = JSON.parse(readFileSync(contextFile, "utf8")) as Inspector
  const subjects: Array<string> = []
  const connection = yield* Effect.acquireRelease(
    Effect.promise(() =>
      connect({
        servers: inspector.url,
        user: inspector.user,
        pass: inspector.password,
        inboxPrefix: inspector.inbox_prefix,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 50,
      }),
    ),
    (open) => Effect.promise(() => open.close()).pipe(Effect.ignore),
  )
  connection.subscribe("troupe.*.thread.>", {
    callback: (error, message) => void (error === null && subjects.push(message.subject)),
  })
  yield* Effect.promise(() => connection.flush())
  return () => [...subjects]
})
