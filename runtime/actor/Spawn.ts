/**
 * Starts actors under their names. A name whose actor is still stopping is waited for, so that two actors of one path
 * never hold its resources at once; a name whose actor runs is refused.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { Actor } from "./Actor.ts"
import { SpawnRefused } from "./ActorError.ts"
import type { ActorRegistry } from "./ActorRegistry.ts"
import type { Behavior } from "./Behavior.ts"
import type { Parent } from "./Parent.ts"
import { stopped, type Ref } from "./Ref.ts"

export type Spawner = <S, Msg, E, R>(
  parent: Parent,
  name: string,
  behavior: Behavior<S, Msg, E, R>,
) => Effect.Effect<Ref<Msg>, E | SpawnRefused, Exclude<R, Scope.Scope>>

const allowed = /^[A-Za-z0-9._-]{1,200}$/

export const spawnerOf = (registry: ActorRegistry): Spawner => {
  const spawn = <S, Msg, E, R>(
    parent: Parent,
    name: string,
    behavior: Behavior<S, Msg, E, R>,
  ): Effect.Effect<Ref<Msg>, E | SpawnRefused, Exclude<R, Scope.Scope>> =>
    Effect.withFiber((fiber) => {
      const path = parent.path === "" ? name : `${parent.path}/${name}`
      const refuse = (reason: SpawnRefused["reason"]) => Effect.fail(new SpawnRefused({ path, reason }))
      if (!allowed.test(name)) return refuse("name-invalid")
      if (parent.closed) return refuse("parent-stopped")
      const holder = registry.entries.get(path)
      if (holder !== undefined) {
        if (!holder.stopping) return refuse("name-taken")
        return Effect.andThen(stopped(holder.self), spawn(parent, name, behavior))
      }
      // The services of whoever spawns it, R among them, go with the actor.
      const provided = behavior as unknown as Behavior<S, Msg, E>
      const actor = new Actor(registry, parent, path, provided, actorContext(fiber.context))
      registry.entries.set(path, actor)
      parent.adopt(actor)
      return actor.start()
    })
  return spawn
}

/** Not in the spawner's trace span, which ends long before the actor. */
const actorContext = (context: Context.Context<never>): Context.Context<never> =>
  context.mapUnsafe.has(Tracer.ParentSpanKey)
    ? (Context.omit(Tracer.ParentSpan)(context) as Context.Context<never>)
    : context
