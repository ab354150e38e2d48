/**
 * Keeps one server program running: starts it, says when it is ready, starts it again when it dies, stops it cleanly with
 * the scope. The address stays the same, so that clients reconnect by themselves. The first start may fail (nobody runs
 * yet); later failures are retried for ever, with growing pauses, and shown in `status`.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { EmbeddedError } from "./EmbeddedError.ts"
import { ServerEnded, serverProcess, type Command } from "./ServerProcess.ts"

export type Status =
  | { readonly _tag: "Starting" }
  | { readonly _tag: "Running"; readonly pid: number }
  /** It died, or did not come up: `attempt` counts the starts since it last ran well. */
  | { readonly _tag: "Restarting"; readonly reason: string; readonly attempt: number }

export interface Plan {
  readonly part: "postgres" | "nats"
  /** Before each start: clears what the last run left behind, and says what to run. */
  readonly command: Effect.Effect<Command, EmbeddedError>
  /** An exit with these words means that the last run is not quite gone yet: tried again every 30 ms. */
  readonly busy: RegExp
  /** Must hold once it is ready. */
  readonly check: Effect.Effect<void, EmbeddedError>
  /** Longest time to get ready. */
  readonly patience: `${number} seconds`
}

export interface Supervised {
  readonly status: SubscriptionRef.SubscriptionRef<Status>
}

/** A run of this length was a good one: the next start is at once again. */
const GOOD_RUN = 10_000
const BUSY_LIMIT = 15_000

export const supervise = Effect.fnUntraced(function* (
  plan: Plan,
): Effect.fn.Return<Supervised, EmbeddedError, Scope.Scope> {
  const status = yield* SubscriptionRef.make<Status>({ _tag: "Starting" })
  const first = yield* Deferred.make<void, EmbeddedError>()

  /** One life: ends with the way it died; fails when it never was ready. */
  const life = Effect.scoped(
    Effect.gen(function* () {
      const server = yield* serverProcess(yield* plan.command)
      yield* server.ready.pipe(
        Effect.timeoutOrElse({
          duration: plan.patience,
          orElse: () => Effect.fail(new ServerEnded({ how: `not ready after ${plan.patience}`, output: "" })),
        }),
      )
      yield* plan.check
      const since = yield* Clock.currentTimeMillis
      yield* SubscriptionRef.set(status, { _tag: "Running", pid: server.pid })
      yield* Deferred.succeed(first, undefined)
      const end = yield* server.ended
      return { end, good: (yield* Clock.currentTimeMillis) - since >= GOOD_RUN }
    }),
  )

  const forever = Effect.gen(function* () {
    let attempt = 0
    let busySince: number | undefined
    for (;;) {
      const result = yield* Effect.result(life)
      const now = yield* Clock.currentTimeMillis
      if (
        result._tag === "Failure" &&
        result.failure._tag === "ServerEnded" &&
        plan.busy.test(result.failure.output)
      ) {
        busySince ??= now
        if (now - busySince < BUSY_LIMIT) {
          yield* Effect.sleep(30)
          continue
        }
      }
      busySince = undefined
      const error =
        result._tag === "Failure" ? explain(plan, result.failure) : explain(plan, result.success.end)
      if (!(yield* Deferred.isDone(first))) return yield* Deferred.fail(first, error)
      attempt = result._tag === "Success" && result.success.good ? 1 : attempt + 1
      yield* SubscriptionRef.set(status, { _tag: "Restarting", reason: error.message, attempt })
      yield* Effect.logWarning(`${error.message} It is started again.`)
      yield* Effect.sleep(attempt === 1 ? 0 : Math.min(50 * 2 ** (attempt - 1), 5_000))
    }
  })

  yield* Effect.forkScoped(forever, { startImmediately: true })
  yield* Deferred.await(first)
  return { status }
})

const explain = (plan: Plan, failure: EmbeddedError | ServerEnded): EmbeddedError => {
  if (failure._tag === "EmbeddedError") return failure
  const lines = failure.output.trim().split("\n")
  // What a killed server wrote last says nothing about its end.
  const last = failure.how.startsWith("signal")
    ? ""
    : (lines.findLast((line) => /FATAL|PANIC|FTL/.test(line)) ?? lines.at(-1) ?? "")
  const name = plan.part === "postgres" ? "Postgres" : "nats-server"
  const said = last === "" ? "" : `, its last line: ${last}`
  return new EmbeddedError({
    part: plan.part,
    message: `The embedded ${name} ended (${failure.how}${said}).`,
    cause: failure,
  })
}
