/** The same work on runtime/actor. Each run has its own system, so that nothing is left from the one before. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { layerTest } from "../../../runtime/actor/TestKit.ts"
import type { ActorSystem } from "../../../runtime/actor/index.ts"
import { ask, spawn, tell, type Behavior, type Ref, type Reply } from "../../../runtime/actor/index.ts"

export const run = <A, E>(effect: Effect.Effect<A, E, ActorSystem>): Promise<A> =>
  Effect.runPromise(Effect.provide(effect, layerTest))

/** How a handler returns its next state. */
export type Style = "succeed" | "sync" | "gen"

const next: Record<Style, (state: number) => Effect.Effect<number>> = {
  succeed: (state) => Effect.succeed(state + 1),
  sync: (state) => Effect.sync(() => state + 1),
  gen: (state) =>
    Effect.gen(function* () {
      return state + (yield* Effect.succeed(1))
    }),
}

export const burst = (messages: number, style: Style): Promise<void> =>
  run(
    Effect.gen(function* () {
      const done = yield* Deferred.make<void>()
      const step = next[style]
      const actor = yield* spawn("burst", {
        init: () => Effect.succeed(0),
        capacity: messages,
        receive: (count, _message: number) => {
          if (count + 1 === messages) Deferred.doneUnsafe(done, Effect.void)
          return step(count)
        },
      })
      for (let n = 0; n < messages; n++) tell(actor, n)
      yield* Deferred.await(done)
    }),
  )

export const pingPong = (hops: number): Promise<void> =>
  run(
    Effect.gen(function* () {
      const done = yield* Deferred.make<void>()
      const refs: { ping?: Ref<number>; pong?: Ref<number> } = {}
      refs.ping = yield* spawn("ping", {
        init: () => Effect.void,
        receive: (_: void, n: number) => {
          tell(refs.pong!, n)
          return Effect.void
        },
      })
      refs.pong = yield* spawn("pong", {
        init: () => Effect.void,
        receive: (_: void, n: number) => {
          if (n === 0) Deferred.doneUnsafe(done, Effect.void)
          else tell(refs.ping!, n - 2)
          return Effect.void
        },
      })
      tell(refs.ping, hops)
      yield* Deferred.await(done)
    }),
  )

export const fanOut = (actors: number, rounds: number): Promise<void> =>
  run(
    Effect.gen(function* () {
      const done = yield* Deferred.make<void>()
      let left = actors * rounds
      const behavior: Behavior<number, number> = {
        init: () => Effect.succeed(0),
        receive: (count) => {
          if (--left === 0) Deferred.doneUnsafe(done, Effect.void)
          return Effect.succeed(count + 1)
        },
      }
      const all: Array<Ref<number>> = []
      for (let n = 0; n < actors; n++) all.push(yield* spawn(`a${n}`, behavior))
      const round = (n: number): void => {
        for (const actor of all) tell(actor, n)
        if (n > 1) setImmediate(round, n - 1)
      }
      round(rounds)
      yield* Deferred.await(done)
    }),
  )

type Echo = { readonly reply: Reply<number> }

export const echo: Behavior<void, Echo> = {
  init: () => Effect.void,
  receive: (_, message) => {
    message.reply(Exit.succeed(1))
    return Effect.void
  },
}

export const asks = (count: number): Promise<void> =>
  run(
    Effect.gen(function* () {
      const actor = yield* spawn("echo", echo)
      for (let n = 0; n < count; n++) yield* ask(actor, (reply: Reply<number>) => ({ reply }), 1000)
    }),
  )

export const spawnMany = (count: number) =>
  Effect.gen(function* () {
    for (let n = 0; n < count; n++) yield* spawn(`a${n}`, echo)
  })
