/**
 * The actor system as a service. Its layer owns the whole tree: releasing it stops every actor, independent trees beside
 * each other, and waits until all of them have released what they own.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { SpawnRefused } from "./ActorError.ts"
import type { ActorInfo } from "./ActorInfo.ts"
import { ActorRegistry } from "./ActorRegistry.ts"
import type { Behavior } from "./Behavior.ts"
import type { DeadLetter } from "./DeadLetters.ts"
import { stopped, type Ref } from "./Ref.ts"
import { spawnerOf } from "./Spawn.ts"
import { TickerRoot } from "./Ticker.ts"
import * as Timer from "./Timer.ts"

/** Counters since the start of the system. */
export interface ActorStats {
  readonly actors: number
  readonly handled: number
  readonly crashes: number
  readonly restarts: number
  readonly deadLetters: number
}

const open = Effect.contextWith((context: Context.Context<never>) =>
  Effect.sync(() => new ActorRegistry(new TickerRoot(), Timer.make(context), context, spawnerOf)),
)

const close = (registry: ActorRegistry): Effect.Effect<void> =>
  Effect.gen(function* () {
    registry.closed = true
    const roots = [...registry.roots]
    for (const root of roots) root.stop()
    yield* Effect.forEach(roots, (root) => stopped(root.self), { discard: true })
    registry.deadlines.close()
    registry.ticker.stop()
  })

export class ActorSystem extends Context.Service<
  ActorSystem,
  {
    /** Starts an actor at the root of the tree and awaits its `init`. */
    readonly spawn: <S, Msg, E, R>(
      name: string,
      behavior: Behavior<S, Msg, E, R>,
    ) => Effect.Effect<Ref<Msg>, E | SpawnRefused, Exclude<R, Scope.Scope>>
    /** Every live actor, by path. */
    readonly tree: Effect.Effect<ReadonlyArray<ActorInfo>>
    /** The latest mail that nobody handled, oldest first. */
    readonly deadLetters: Effect.Effect<ReadonlyArray<DeadLetter>>
    readonly stats: Effect.Effect<ActorStats>
  }
>()("troupe/actor/ActorSystem") {
  static readonly layer = Layer.effect(
    ActorSystem,
    Effect.map(Effect.acquireRelease(open, close), (registry) => ({
      spawn: (name, behavior) => registry.spawn(registry, name, behavior),
      tree: Effect.sync(() =>
        [...registry.entries.values()]
          .map((entry) => entry.info())
          .sort((a, b) => (a.path < b.path ? -1 : 1)),
      ),
      deadLetters: Effect.sync(() => [...registry.deadLetters.latest]),
      stats: Effect.sync(() => ({
        actors: registry.entries.size,
        handled: registry.handled,
        crashes: registry.crashes,
        restarts: registry.restarts,
        deadLetters: registry.deadLetters.total,
      })),
    })),
  )
}

/** Starts an actor at the root of the tree; it runs with the services of whoever calls this. */
export const spawn = <S, Msg, E, R>(
  name: string,
  behavior: Behavior<S, Msg, E, R>,
): Effect.Effect<Ref<Msg>, E | SpawnRefused, Exclude<R, Scope.Scope> | ActorSystem> =>
  Effect.flatMap(ActorSystem, (system) => system.spawn(name, behavior))
