/**
 * For tests of actors: a system whose crashes are not printed, probes that collect what they are sent, and `quiet`.
 * Time: under `TestClock` every timer of the system (asks, idle times, `after`, `every`, restart backoff) moves by hand;
 * use `quiet` before and after moving it, because actors handle their mail in turns of the real event loop.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import type { SpawnRefused } from "./ActorError.ts"
import { ActorSystem, spawn } from "./ActorSystem.ts"
import { ask, type AskError } from "./Ask.ts"
import type { Behavior, Ctx } from "./Behavior.ts"
import type { Reply } from "./Mail.ts"
import type { Ref } from "./Ref.ts"

/** A system for tests: the real one, with logging off for it and for everything that it runs. */
export const layerTest = Layer.provideMerge(
  ActorSystem.layer,
  Layer.succeed(References.MinimumLogLevel, "None"),
)

/** An actor that keeps what it is sent. */
export interface Probe<Msg> {
  readonly ref: Ref<Msg>
  /** Everything so far, also what `next` has returned. */
  readonly received: ReadonlyArray<Msg>
  /** The next message that was not returned yet; waits for it. */
  readonly next: Effect.Effect<Msg>
}

export const probe = <Msg>(name: string): Effect.Effect<Probe<Msg>, SpawnRefused, ActorSystem> =>
  Effect.gen(function* () {
    const received: Array<Msg> = []
    const queue = yield* Queue.unbounded<Msg>()
    const ref = yield* spawn(name, {
      init: () => Effect.void,
      receive: (_state: void, message: Msg) =>
        Effect.sync(() => {
          received.push(message)
          Queue.offerUnsafe(queue, message)
        }),
    })
    return { ref, received, next: Queue.take(queue) }
  })

/** Waits until no actor has mail or handles any; dies after 10,000 turns of the event loop, naming the busy ones. */
export const quiet: Effect.Effect<void, never, ActorSystem> = Effect.gen(function* () {
  const system = yield* ActorSystem
  for (let turn = 0; turn < 10_000; turn++) {
    yield* Effect.yieldNow
    const busy = (yield* system.tree).filter((actor) => actor.state !== "idle" || actor.mailbox > 0)
    if (busy.length === 0) return
  }
  return yield* Effect.die(new Error(`Still busy: ${JSON.stringify(yield* system.tree)}`))
})

/** A message that is its own handler. */
export interface Run {
  (count: number, ctx: Ctx<Run>): Effect.Effect<number, string | SpawnRefused, Scope.Scope>
}

/** An actor with a number as state that runs what it is sent; `options` replace parts of it. */
export const runner = (
  options: Partial<Behavior<number, Run, string | SpawnRefused>> = {},
): Behavior<number, Run, string | SpawnRefused> => ({
  init: () => Effect.succeed(0),
  receive: (count, run, ctx) => run(count, ctx),
  ...options,
})

/** Asks a `runner` for its state, after everything sent before. */
export const count = (ref: Ref<Run>): Effect.Effect<number, AskError> =>
  ask(
    ref,
    (reply: Reply<number>): Run =>
      (state) => {
        reply(Exit.succeed(state))
        return Effect.succeed(state)
      },
    Infinity,
  )

export const add =
  (n: number): Run =>
  (state) =>
    Effect.succeed(state + n)

/** Keeps a runner busy until `go` is opened; `begun` tells that it is. */
export const gate = Effect.gen(function* () {
  const begun = yield* Deferred.make<void>()
  const go = yield* Deferred.make<void>()
  const run: Run = (state) =>
    Deferred.succeed(begun, undefined).pipe(Effect.andThen(Deferred.await(go)), Effect.as(state))
  return { run, begun: Deferred.await(begun), open: Deferred.succeed(go, undefined) }
})
