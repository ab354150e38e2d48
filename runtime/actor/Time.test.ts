import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import {
  ActorSystem,
  ask,
  drain,
  offer,
  spawn,
  stop,
  stopped,
  tell,
  tellControl,
  type Ctx,
  type Reply,
} from "./index.ts"
import { add, count, gate, layerTest, probe, quiet, runner, type Run } from "./TestKit.ts"

const alive = (path: string) =>
  Effect.map(
    Effect.flatMap(ActorSystem, (system) => system.tree),
    (tree) => tree.some((actor) => actor.path === path),
  )

const pass = (duration: Duration.Input) =>
  Effect.andThen(Effect.andThen(quiet, TestClock.adjust(duration)), quiet)

describe("a timer", () => {
  it.effect("sends its message once, at its time", () =>
    Effect.gen(function* () {
      const ref = yield* spawn("a", runner())
      tell(ref, (state, ctx) => Effect.as(ctx.after("10 seconds", add(1)), state))
      yield* pass(9_999)
      assert.strictEqual(yield* count(ref), 0)
      yield* pass(1)
      assert.strictEqual(yield* count(ref), 1)
      yield* pass("1 minute")
      assert.strictEqual(yield* count(ref), 1)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("that repeats never has two messages waiting", () =>
    Effect.gen(function* () {
      const ref = yield* spawn("a", runner())
      tell(ref, (state, ctx) => Effect.as(ctx.every("1 second", add(1)), state))
      for (let n = 0; n < 3; n++) yield* pass("1 second")
      assert.strictEqual(yield* count(ref), 3)
      const hold = yield* gate
      tell(ref, hold.run)
      yield* hold.begun
      yield* TestClock.adjust("10 seconds")
      yield* hold.open
      yield* quiet
      assert.strictEqual(yield* count(ref), 4)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("is never seen once cancelled, even when its message is already queued", () =>
    Effect.gen(function* () {
      const ref = yield* spawn("a", runner())
      const arm =
        (reply: Reply<Effect.Effect<void>>): Run =>
        (state, ctx) =>
          Effect.map(ctx.after("1 second", add(1)), (cancel) => {
            reply(Exit.succeed(cancel))
            return state
          })
      yield* yield* ask(ref, arm, Infinity)
      yield* pass("1 second")
      const cancel = yield* ask(ref, arm, Infinity)
      const hold = yield* gate
      tell(ref, hold.run)
      yield* hold.begun
      yield* TestClock.adjust("1 second")
      yield* cancel
      yield* hold.open
      yield* quiet
      assert.strictEqual(yield* count(ref), 0)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("ends with its incarnation, on restart and on stop", () =>
    Effect.gen(function* () {
      const ref = yield* spawn("a", runner({ supervise: () => Effect.succeed("restart") }))
      tell(ref, (state, ctx) =>
        Effect.as(Effect.andThen(ctx.every("1 second", add(1)), ctx.after("1 second", add(1))), state),
      )
      yield* quiet
      tell(ref, () => Effect.fail("boom"))
      yield* pass("10 seconds")
      assert.strictEqual(yield* count(ref), 0)
      const kept = yield* Deferred.make<Ctx<Run>>()
      tell(ref, (state, ctx) => Effect.as(Deferred.succeed(kept, ctx), state))
      const ctx = yield* Deferred.await(kept)
      yield* stop(ref)
      yield* ctx.every("1 second", add(1))
      yield* pass("10 seconds")
      assert.strictEqual((yield* (yield* ActorSystem).stats).deadLetters, 0)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("is delivered although the mailbox is full", () =>
    Effect.gen(function* () {
      const ref = yield* spawn("a", runner({ capacity: 1 }))
      tell(ref, (state, ctx) => Effect.as(ctx.after("1 second", add(10)), state))
      yield* quiet
      const hold = yield* gate
      tell(ref, hold.run)
      yield* hold.begun
      tell(ref, add(1))
      yield* TestClock.adjust("1 second")
      yield* hold.open
      yield* quiet
      assert.strictEqual(yield* count(ref), 11)
    }).pipe(Effect.provide(layerTest)),
  )
})

describe("passivation", () => {
  it.effect("stops an actor that is idle long enough, and not before, releasing what it owns", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const init = () =>
        Effect.as(
          Effect.addFinalizer(() => Effect.sync(() => log.push("released"))),
          0,
        )
      const ref = yield* spawn("a", runner({ init, idleAfter: "1 minute" }))
      yield* pass("50 seconds")
      tell(ref, add(1))
      yield* pass("50 seconds")
      assert.isTrue(yield* alive("a"))
      yield* pass("10 seconds")
      yield* stopped(ref)
      assert.deepStrictEqual(log, ["released"])
      assert.isFalse(tell(ref, add(1)))
      yield* spawn("a", runner())
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("does not stop an actor while its turn or handler runs, or while it has children", () =>
    Effect.gen(function* () {
      const release = yield* Deferred.make<void>()
      const turning = yield* spawn("turning", runner({ idleAfter: "1 minute" }))
      tell(turning, (state, ctx) =>
        Effect.as(
          ctx.startTurn(Deferred.await(release), () => add(1)),
          state,
        ),
      )
      const handling = yield* spawn("handling", runner({ idleAfter: "1 minute" }))
      tell(handling, (state) => Effect.as(Deferred.await(release), state))
      const parent = yield* spawn("parent", runner({ idleAfter: "1 minute" }))
      tell(parent, (state, ctx) => Effect.as(ctx.spawn("child", runner({ idleAfter: "10 minutes" })), state))
      for (let turn = 0; turn < 10; turn++) yield* Effect.yieldNow
      yield* TestClock.adjust("5 minutes")
      for (const path of ["turning", "handling", "parent"]) assert.isTrue(yield* alive(path), path)
      yield* Deferred.succeed(release, undefined)
      yield* pass("1 minute")
      yield* Effect.all([stopped(turning), stopped(handling)])
      assert.isTrue(yield* alive("parent"))
      yield* pass("4 minutes")
      yield* pass("1 minute")
      yield* stopped(parent)
    }).pipe(Effect.provide(layerTest)),
  )

  it("survives durations beyond the 25 days of a host timer", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const ref = yield* spawn("a", runner({ idleAfter: "60 days" }))
        tell(ref, (state, ctx) => Effect.as(ctx.after("60 days", add(1)), state))
        const asking = yield* Effect.forkChild(
          ask(ref, (_reply: Reply<number>) => add(0), "60 days"),
          { startImmediately: true },
        )
        yield* Effect.callback<void>((resume) => void setTimeout(() => resume(Effect.void), 5))
        assert.isUndefined(asking.pollUnsafe())
        assert.strictEqual(yield* count(ref), 0)
      }).pipe(Effect.provide(layerTest)),
    ))
})

describe("drain", () => {
  it.effect("refuses new mail, handles what is queued in both lanes, then stops", () =>
    Effect.gen(function* () {
      const seen = yield* probe<string>("probe")
      const say =
        (what: string): Run =>
        (state) => {
          tell(seen.ref, what)
          return Effect.succeed(state)
        }
      const ref = yield* spawn("a", runner({ capacity: 2 }))
      const hold = yield* gate
      tell(ref, hold.run)
      yield* hold.begun
      tell(ref, say("1"))
      tell(ref, say("2"))
      tellControl(ref, say("control"))
      const waiting = yield* Effect.forkChild(Effect.flip(offer(ref, say("offered"))), {
        startImmediately: true,
      })
      const draining = yield* Effect.forkChild(drain(ref), { startImmediately: true })
      assert.isFalse(tell(ref, say("late")))
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "ActorStopped")
      assert.deepInclude((yield* (yield* ActorSystem).tree)[0], { path: "a", state: "draining", mailbox: 3 })
      yield* hold.open
      yield* Fiber.join(draining)
      yield* quiet
      assert.deepStrictEqual(seen.received, ["control", "1", "2"])
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("lets a running turn end and its result be handled", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const end = yield* Deferred.make<void>()
      const ref = yield* spawn("a", runner())
      tell(ref, (state, ctx) =>
        Effect.as(
          ctx.startTurn(Deferred.await(end), () => (n) => {
            log.push("result")
            return Effect.succeed(n)
          }),
          state,
        ),
      )
      yield* quiet
      const draining = yield* Effect.forkChild(drain(ref), { startImmediately: true })
      for (let turn = 0; turn < 10; turn++) yield* Effect.yieldNow
      assert.isUndefined(draining.pollUnsafe())
      yield* Deferred.succeed(end, undefined)
      yield* Fiber.join(draining)
      assert.deepStrictEqual(log, ["result"])
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("goes on after a supervised crash, and ends at once for an idle or dead actor", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const ref = yield* spawn("a", runner({ supervise: () => Effect.succeed("resume") }))
      tell(ref, () => Effect.fail("boom"))
      tell(ref, (n) => Effect.sync(() => (log.push("after the crash"), n)))
      yield* drain(ref)
      assert.deepStrictEqual(log, ["after the crash"])
      yield* drain(ref)
      const idle = yield* spawn("idle", runner())
      yield* drain(idle)
    }).pipe(Effect.provide(layerTest)),
  )
})

/** Counts the host's timers of about an hour that are armed while `body` runs and after it. */
const longTimers = async (body: (armed: () => number) => Promise<void>): Promise<number> => {
  const armed = new Set<unknown>()
  const { setTimeout, clearTimeout } = globalThis
  globalThis.setTimeout = Object.assign((run: () => void, ms?: number) => {
    const timer = setTimeout(run, ms)
    if (ms !== undefined && ms > 3_500_000) armed.add(timer)
    return timer
  }, setTimeout)
  globalThis.clearTimeout = (timer) => {
    armed.delete(timer)
    clearTimeout(timer)
  }
  try {
    await body(() => armed.size)
    return armed.size
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout })
  }
}

describe("host timers", () => {
  it("are all gone once the system is: of actors, asks and passivation", async () => {
    const left = await longTimers((armed) =>
      Effect.runPromise(
        Effect.gen(function* () {
          for (let n = 0; n < 20; n++) {
            const ref = yield* spawn(`a${n}`, runner({ idleAfter: "1 hour" }))
            tell(ref, (state, ctx) =>
              Effect.as(Effect.andThen(ctx.after("1 hour", add(1)), ctx.every("1 hour", add(1))), state),
            )
            yield* Effect.forkChild(
              ask(ref, (_reply: Reply<number>) => add(1), "1 hour"),
              {
                startImmediately: true,
              },
            )
          }
          yield* quiet
          assert.strictEqual(armed(), 61)
        }).pipe(Effect.provide(layerTest)),
      ),
    )
    assert.strictEqual(left, 0)
  })
})
