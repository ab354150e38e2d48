/**
 * Publications that JetStream acknowledges, on one inbox of our own: a request of the client makes a promise chain, a timer
 * and an error with its stack for each, which costs more than the publication. `send` resolves when the server has stored
 * the message, and fails when it refuses it, when nobody stores it, or after `timeout`.
 */
import { createInbox, type Msg, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import { BusError } from "./Bus.ts"

interface Waiting {
  readonly until: number
  readonly resume: (exit: Effect.Effect<void, BusError>) => void
}

export type Send = (subject: string, payload: string, headers: MsgHdrs) => Effect.Effect<void, BusError>

export const acknowledged = Effect.fnUntraced(function* (
  nc: NatsConnection,
  timeout: number,
): Effect.fn.Return<Send, never, Scope.Scope> {
  const inbox = createInbox()
  const clock = yield* Clock.Clock
  const run = yield* FiberSet.makeRuntime<never>()
  /** In the order they were sent, so that the first is the first to be late. */
  const waiting = new Map<string, Waiting>()
  let sent = 0
  let watched = false

  const settle = (token: string, exit: Effect.Effect<void, BusError>) => {
    const one = waiting.get(token)
    waiting.delete(token)
    one?.resume(exit)
  }
  /** One timer for all, only while somebody waits. */
  const watch = (forMs: number): Effect.Effect<void> =>
    Effect.andThen(
      Effect.sleep(forMs),
      Effect.suspend(() => {
        const now = clock.currentTimeMillisUnsafe()
        for (const [token, { until }] of waiting) {
          if (until > now) return watch(until - now)
          settle(token, refused("the server did not answer in time"))
        }
        watched = false
        return Effect.void
      }),
    )

  yield* Effect.acquireRelease(
    Effect.sync(() =>
      nc.subscribe(`${inbox}.*`, {
        callback: (error, msg) => {
          if (error === null) settle(msg.subject.slice(inbox.length + 1), outcome(msg))
        },
      }),
    ),
    (subscription) =>
      Effect.sync(() => {
        subscription.unsubscribe()
        for (const token of waiting.keys()) settle(token, refused("the connection was closed"))
      }),
  )
  return (subject, payload, headers) =>
    Effect.callback<void, BusError>((resume) => {
      const token = (++sent).toString(36)
      waiting.set(token, { until: clock.currentTimeMillisUnsafe() + timeout, resume })
      if (!watched) {
        watched = true
        run(watch(timeout))
      }
      try {
        nc.publish(subject, payload, { headers, reply: `${inbox}.${token}` })
      } catch (cause) {
        settle(token, refused(cause instanceof Error ? cause.message : String(cause), cause))
      }
    })
})

const refused = (why: string, cause: unknown = null) =>
  Effect.fail(new BusError({ message: `Could not publish: ${why}`, cause }))

/** `{"stream": ..., "seq": ...}`, or an error; 503 without a body when no stream takes the subject. */
const outcome = (msg: Msg): Effect.Effect<void, BusError> => {
  if (msg.headers?.code === 503) return refused("no stream takes it")
  const answer = msg.json<{ readonly error?: { readonly description?: string }; readonly stream?: string }>()
  return answer.stream === undefined
    ? refused(answer.error?.description ?? "no answer of a stream")
    : Effect.void
}
