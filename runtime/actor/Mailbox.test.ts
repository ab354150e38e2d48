import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { ActorStopped, ActorSystem, offer, spawn, stop, tell, tellControl } from "./index.ts"
import { add, count, gate, layerTest, quiet, runner, type Run } from "./TestKit.ts"

const noting =
  (log: Array<string>, what: string): Run =>
  (state) => {
    log.push(what)
    return Effect.succeed(state)
  }

/** A runner of this capacity whose handler is held. */
const held = (capacity: number) =>
  Effect.gen(function* () {
    const ref = yield* spawn("held", runner({ capacity }))
    const hold = yield* gate
    tell(ref, hold.run)
    yield* hold.begun
    return { ref, open: hold.open }
  })

describe("a bounded mailbox", () => {
  it.effect("refuses exactly what is beyond its capacity, and counts it as dead letters", () =>
    Effect.gen(function* () {
      const { ref, open } = yield* held(3)
      assert.deepStrictEqual(
        [1, 2, 3, 4, 5].map((n) => tell(ref, add(n))),
        [true, true, true, false, false],
      )
      const system = yield* ActorSystem
      assert.strictEqual((yield* system.stats).deadLetters, 2)
      assert.deepInclude((yield* system.deadLetters)[0], { path: "held", reason: "full" })
      yield* open
      yield* quiet
      assert.strictEqual(yield* count(ref), 6)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("lets offers wait for room and admits them in order", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { ref, open } = yield* held(1)
      tell(ref, noting(log, "queued"))
      const offers = yield* Effect.forkChild(
        Effect.forEach(["a", "b", "c"], (what) => offer(ref, noting(log, what)), {
          concurrency: "unbounded",
        }),
        { startImmediately: true },
      )
      yield* Effect.yieldNow
      assert.isUndefined(offers.pollUnsafe())
      assert.isFalse(tell(ref, noting(log, "overtaking")))
      yield* open
      yield* Fiber.join(offers)
      yield* quiet
      assert.deepStrictEqual(log, ["queued", "a", "b", "c"])
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("does not take the message of an interrupted offer", () =>
    Effect.gen(function* () {
      const { ref, open } = yield* held(1)
      tell(ref, add(1))
      const first = yield* Effect.forkChild(offer(ref, add(10)), { startImmediately: true })
      const second = yield* Effect.forkChild(offer(ref, add(100)), { startImmediately: true })
      yield* Fiber.interrupt(first)
      yield* open
      yield* Fiber.join(second)
      yield* quiet
      assert.strictEqual(yield* count(ref), 101)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("fails a waiting offer, and a later one, when the actor stops", () =>
    Effect.gen(function* () {
      const { ref } = yield* held(1)
      tell(ref, add(1))
      const waiting = yield* Effect.forkChild(Effect.flip(offer(ref, add(1))), { startImmediately: true })
      yield* stop(ref)
      assert.instanceOf(yield* Fiber.join(waiting), ActorStopped)
      assert.instanceOf(yield* Effect.flip(offer(ref, add(1))), ActorStopped)
    }).pipe(Effect.provide(layerTest)),
  )
})

describe("the control lane", () => {
  it.effect("is handled before ordinary mail, and has room when the mailbox is full", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { ref, open } = yield* held(2)
      for (const what of ["1", "2"]) assert.isTrue(tell(ref, noting(log, what)))
      assert.isFalse(tell(ref, noting(log, "3")))
      for (const what of ["c1", "c2"]) assert.isTrue(tellControl(ref, noting(log, what)))
      assert.isFalse(tellControl(ref, noting(log, "c3")))
      yield* open
      yield* quiet
      assert.deepStrictEqual(log, ["c1", "c2", "1", "2"])
    }).pipe(Effect.provide(layerTest)),
  )
})

describe("dead letters", () => {
  it.effect("count what was told to a stopped actor and what was queued when it stopped", () =>
    Effect.gen(function* () {
      const { ref } = yield* held(10)
      tell(ref, add(1))
      tellControl(ref, add(1))
      yield* stop(ref)
      tell(ref, add(1))
      const system = yield* ActorSystem
      assert.deepStrictEqual(
        (yield* system.deadLetters).map((letter) => letter.reason),
        ["dropped", "dropped", "stopped"],
      )
      for (let n = 0; n < 200; n++) tell(ref, add(1))
      assert.strictEqual((yield* system.stats).deadLetters, 203)
      assert.lengthOf(yield* system.deadLetters, 100)
    }).pipe(Effect.provide(layerTest)),
  )
})
