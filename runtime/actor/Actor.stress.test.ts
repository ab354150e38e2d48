/**
 * Fault injection: hundreds of actors in trees, with faults in every place where user code runs, stopped at any moment.
 * Nothing may reach the process as an unhandled rejection or uncaught exception, no handlers may overlap, nothing may leak.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as ManagedRuntime from "effect/ManagedRuntime"
import {
  ActorSystem,
  ask,
  drain,
  offer,
  spawn,
  stop,
  tell,
  tellControl,
  type Behavior,
  type Decision,
  type Ref,
  type Reply,
} from "./index.ts"
import { layerTest } from "./TestKit.ts"

const escaped: Array<unknown> = []
const note = (error: unknown) => void escaped.push(error)
beforeAll(() => {
  process.on("unhandledRejection", note)
  process.on("uncaughtException", note)
})
afterAll(() => {
  process.off("unhandledRejection", note)
  process.off("uncaughtException", note)
})

/** A small generator with a seed, so that a failure can be repeated. */
const random = (seed: number) => () => {
  seed = (seed * 1_664_525 + 1_013_904_223) >>> 0
  return seed / 4_294_967_296
}

type Fault = { readonly type: "work"; readonly reply?: Reply<number> } | { readonly type: "turned" }

const world = (seed: number) => {
  const dice = random(seed)
  const chance = (p: number) => dice() < p
  const seen = { overlaps: 0, acquired: 0, released: 0, handled: 0, names: 0 }

  /** Fails in one of the ways in which user code can, or goes on. */
  const faulty = <A>(p: number, value: A): Effect.Effect<A, string> => {
    if (!chance(p)) return chance(0.5) ? Effect.succeed(value) : Effect.as(Effect.yieldNow, value)
    switch (Math.floor(dice() * 6)) {
      case 0:
        return Effect.fail("fault")
      case 1:
        return Effect.die(new Error("fault"))
      case 2:
        throw new Error("fault")
      case 3:
        return Effect.andThen(Effect.yieldNow, Effect.fail("late fault"))
      case 4:
        return Effect.promise(() => Promise.reject(new Error("fault")))
      default:
        return Effect.interrupt
    }
  }

  const resource = Effect.acquireRelease(
    Effect.sync(() => void seen.acquired++),
    () =>
      Effect.andThen(
        Effect.sync(() => void seen.released++),
        Effect.suspend(() => Effect.orDie(faulty(0.3, undefined))),
      ),
  )

  const behavior = (depth: number): Behavior<number, Fault, string> => {
    let busy = false
    return {
      capacity: 20,
      idleAfter: chance(0.3) ? 1 : Infinity,
      restarts: { max: 5, within: 50, backoff: 1, longest: 2 },
      init: () =>
        Effect.andThen(
          resource,
          Effect.suspend(() => faulty(0.1, 0)),
        ),
      supervise: () =>
        Effect.suspend(() =>
          Effect.orDie(
            faulty<Decision>(
              0.1,
              (["resume", "restart", "stop", "escalate"] as const)[Math.floor(dice() * 4)]!,
            ),
          ),
        ),
      receive: (state, message, ctx) =>
        Effect.gen(function* () {
          if (busy) seen.overlaps++
          busy = true
          seen.handled++
          if (message.type === "work") {
            if (chance(0.2)) yield* resource
            if (chance(0.2)) {
              yield* ctx.startTurn(
                Effect.andThen(
                  resource,
                  Effect.suspend(() => faulty(0.3, undefined)),
                ),
                () => {
                  if (chance(0.1)) throw new Error("fault")
                  return { type: "turned" }
                },
              )
            }
            if (chance(0.1)) yield* ctx.interruptTurn()
            if (chance(0.05)) yield* ctx.after(1, { type: "work" })
            if (chance(0.02)) yield* ctx.every(1, { type: "work" })
            if (depth > 0 && chance(0.1)) {
              const child = yield* Effect.option(ctx.spawn(`c${seen.names++}`, behavior(depth - 1)))
              if (child._tag === "Some") for (let n = 0; n < 5; n++) tell(child.value, { type: "work" })
            }
            if (chance(0.02)) yield* ctx.stopSelf()
            if (chance(0.02)) yield* stop(ctx.self)
            if (chance(0.8)) message.reply?.(Exit.succeed(state))
          }
          return yield* faulty(0.15, state + 1)
        }).pipe(Effect.ensuring(Effect.sync(() => (busy = false)))),
    }
  }

  const drive = Effect.gen(function* () {
    const refs: Array<Ref<Fault>> = []
    for (let round = 0; round < 400; round++) {
      if (refs.length < 40) {
        const ref = yield* Effect.option(Effect.exit(spawn(`r${seen.names++}`, behavior(2))))
        if (ref._tag === "Some" && Exit.isSuccess(ref.value)) refs.push(ref.value.value)
      }
      for (let n = 0; n < 40 && refs.length > 0; n++) {
        const ref = refs[Math.floor(dice() * refs.length)]!
        const kind = dice()
        if (kind < 0.7) tell(ref, { type: "work" })
        else if (kind < 0.8) tellControl(ref, { type: "work" })
        else if (kind < 0.9)
          yield* Effect.forkChild(
            Effect.exit(ask(ref, (reply: Reply<number>) => ({ type: "work", reply }), 5)),
          )
        else if (kind < 0.95) yield* Effect.forkChild(Effect.exit(offer(ref, { type: "work" })))
        else if (kind < 0.975) yield* Effect.forkChild(chance(0.5) ? stop(ref) : drain(ref))
      }
      if (chance(0.5)) yield* Effect.yieldNow
      if (refs.length === 40) refs.splice(0, 5)
    }
  })
  return { seen, drive }
}

describe("under injected faults", () => {
  for (const seed of [1, 2, 3, 4]) {
    it(`nothing escapes, overlaps or leaks (seed ${seed})`, async () => {
      const { seen, drive } = world(seed)
      const runtime = ManagedRuntime.make(layerTest)
      await runtime.runPromise(drive)
      const stats = await runtime.runPromise(Effect.flatMap(ActorSystem, (system) => system.stats))
      await runtime.dispose()
      await new Promise((resolve) => setImmediate(resolve))
      assert.isAbove(seen.handled, 1000)
      assert.isAbove(stats.crashes, 100)
      assert.isAbove(stats.restarts, 20)
      assert.strictEqual(seen.overlaps, 0)
      assert.strictEqual(seen.released, seen.acquired)
      assert.deepStrictEqual(escaped, [])
    })
  }
})
