/**
 * What follows a crash, while nact keeps the actor suspended: ask the behaviour, carry out its decision. A restart
 * whose `init` fails is a crash again; the restart budget ends the circle. A policy that itself fails means stop.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { CrashInfo } from "./ActorInfo.ts"
import type { ActorRegistry } from "./ActorRegistry.ts"
import type { Behavior, Crash, Decision } from "./Behavior.ts"
import { RestartBudget } from "./RestartBudget.ts"

/** The actor under supervision. */
export interface Supervised<S, Msg, E> {
  readonly path: string
  readonly registry: ActorRegistry
  readonly behavior: Behavior<S, Msg, E>
  readonly stopping: boolean
  /** Releases what the crashed incarnation owned. */
  endLife(cause: Cause.Cause<E>): Effect.Effect<void>
  /** Begins the next incarnation. */
  beginLife(): Effect.Effect<Exit.Exit<unknown, E>>
  resume(): void
  escalate(cause: Cause.Cause<E>): void
  stop(): void
}

export class Supervision<S, Msg, E> {
  crashes = 0
  restarts = 0
  lastCrash: CrashInfo | undefined
  readonly #actor: Supervised<S, Msg, E>
  readonly #budget: RestartBudget

  constructor(actor: Supervised<S, Msg, E>) {
    this.#actor = actor
    this.#budget = new RestartBudget(actor.behavior.restarts)
  }

  /** `message` is the one whose handling crashed. Does nothing once the actor stops. */
  readonly crashed = Effect.fnUntraced(function* (
    this: Supervision<S, Msg, E>,
    first: Cause.Cause<E>,
    message: Msg | undefined,
  ) {
    const actor = this.#actor
    const { timer } = actor.registry
    let cause = first
    let alive = true
    while (!actor.stopping) {
      yield* this.#note(cause)
      const restarts = this.#budget.spent(timer.now())
      const decision = yield* this.#decide({ cause, message: alive ? message : undefined, restarts })
      if (actor.stopping) return
      if (decision === "resume" && alive) return actor.resume()
      if (decision === "escalate") return actor.escalate(cause)
      if (decision !== "restart") return actor.stop()
      yield* actor.endLife(cause)
      alive = false
      const wait = this.#budget.take(timer.now())
      if (wait === undefined) {
        yield* Effect.logError(`Actor "${actor.path}" stops: ${restarts} restarts did not help.`)
        return actor.stop()
      }
      if (wait > 0) yield* Effect.sleep(Duration.millis(wait))
      this.restarts++
      actor.registry.restarts++
      const exit = yield* actor.beginLife()
      if (Exit.isSuccess(exit)) return actor.resume()
      cause = exit.cause
    }
  })

  #note(cause: Cause.Cause<E>): Effect.Effect<void> {
    const { path, registry } = this.#actor
    this.crashes++
    registry.crashes++
    this.lastCrash = { at: registry.timer.unixMillis(), cause: Cause.pretty(cause) }
    return Effect.logWarning(`Actor "${path}" crashed.`, cause)
  }

  #decide(crash: Crash<Msg, E>): Effect.Effect<Decision> {
    const { path, behavior } = this.#actor
    if (behavior.supervise === undefined) return Effect.succeed("stop")
    return Effect.suspend(() => behavior.supervise!(crash)).pipe(
      Effect.catchCause((cause) =>
        Effect.as(Effect.logError(`Actor "${path}" stops: its supervision failed.`, cause), "stop" as const),
      ),
    )
  }
}
