/**
 * What an actor does, as Effects.
 *
 * - `init` makes the first state; `spawn` awaits it, and fails with its error. It runs again after each restart.
 * - `receive` handles one message and returns the next state; never two at once for one actor. Returning
 *   `Effect.succeed(state)` costs no fiber, `Effect.sync` no promise; only what suspends holds the actor.
 * - Both run with the incarnation's `Scope`: resources acquired there live until restart or stop.
 * - A failure, defect or synchronous throw is a crash: the mailbox is kept, nothing is handled until `supervise` has
 *   decided, and the failed message is not retried. Default: stop.
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { SpawnRefused } from "./ActorError.ts"
import type { Ref } from "./Ref.ts"
import type { RestartLimits } from "./RestartBudget.ts"

export interface Behavior<S, Msg, E = never, R = never> {
  readonly init: (ctx: Ctx<Msg>) => Effect.Effect<S, E, R | Scope.Scope>
  readonly receive: (state: S, message: Msg, ctx: Ctx<Msg>) => Effect.Effect<S, E, R | Scope.Scope>
  readonly supervise?: (crash: Crash<Msg, E>) => Effect.Effect<Decision>
  /** How often "restart" is carried out; beyond it the actor stops. */
  readonly restarts?: RestartLimits
  /** Messages that may wait in each lane. Default 10,000. */
  readonly capacity?: number
  /** Passivation: stops after this long with no mail, no turn and no children. Default: never. */
  readonly idleAfter?: Duration.Input
}

/**
 * resume: keep the state, go on with the next message (after a failed `init` there is none: stop).
 * restart: release everything this incarnation owns, `init` again, keep the mailbox.
 * stop: this actor stops. escalate: this actor stops and its parent crashes with the same cause.
 */
export type Decision = "resume" | "restart" | "stop" | "escalate"

export interface Crash<out Msg, out E> {
  readonly cause: Cause.Cause<E>
  /** Undefined when `init` failed on a restart, or when a child escalated. */
  readonly message: Msg | undefined
  /** Restarts within the window of `restarts` so far. */
  readonly restarts: number
}

/** Given to `init` and `receive`; belongs to one incarnation and does nothing after its end. */
export interface Ctx<Msg> {
  readonly self: Ref<Msg>
  /** Starts a child. It stops with this incarnation, before its resources are released. */
  readonly spawn: <S, M, E, R>(
    name: string,
    behavior: Behavior<S, M, E, R>,
  ) => Effect.Effect<Ref<M>, E | SpawnRefused, Exclude<R, Scope.Scope>>
  /**
   * Runs a long effect beside the mailbox. Its exit comes back as the message `done(exit)`. At most one runs: an
   * earlier turn is interrupted, and its finalizers awaited, first. The turn has its own scope.
   */
  readonly startTurn: <A, E, R>(
    turn: Effect.Effect<A, E, R | Scope.Scope>,
    done: (exit: Exit.Exit<A, E>) => Msg,
  ) => Effect.Effect<void, never, R>
  /** True if a turn's result was outstanding. It will not be seen; the turn's finalizers have run. */
  readonly interruptTurn: () => Effect.Effect<boolean>
  /** True until the turn's result is delivered as a message. */
  readonly turnRunning: boolean
  /** Sends `message` to this actor after a while, once. Interrupt by running the returned effect: it is then never seen. */
  readonly after: (duration: Duration.Input, message: Msg) => Effect.Effect<Effect.Effect<void>>
  /** The same again and again; at most one of its messages waits in the mailbox. */
  readonly every: (duration: Duration.Input, message: Msg) => Effect.Effect<Effect.Effect<void>>
  readonly stopSelf: () => Effect.Effect<never>
}
