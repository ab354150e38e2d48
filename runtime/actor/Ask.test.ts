import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import {
  ActorCrashed,
  ActorStopped,
  ask,
  AskTimeout,
  MailboxFull,
  spawn,
  stop,
  tell,
  type Reply,
} from "./index.ts"
import { add, count, gate, layerTest, quiet, runner, type Run } from "./TestKit.ts"

/** Never answers by itself; hands its reply out. */
const silent =
  (kept?: Deferred.Deferred<Reply<number, string>>) =>
  (reply: Reply<number, string>): Run =>
  (state) =>
    kept === undefined ? Effect.succeed(state) : Effect.as(Deferred.succeed(kept, reply), state)

const crashing =
  (_reply: Reply<number>): Run =>
  () =>
    Effect.fail("boom")

describe("ask", () => {
  it.effect("fails with the error that the actor answers with, while the actor goes on", () =>
    Effect.gen(function* () {
      const ref = yield* spawn("a", runner())
      const refuse =
        (reply: Reply<number, "refused">): Run =>
        (state) => {
          reply(Exit.fail("refused"))
          return Effect.succeed(state)
        }
      assert.strictEqual(yield* Effect.flip(ask(ref, refuse, 1000)), "refused")
      assert.strictEqual(yield* count(ref), 0)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("can be answered later, from outside the handler; only the first answer counts", () =>
    Effect.gen(function* () {
      const kept = yield* Deferred.make<Reply<number, string>>()
      const ref = yield* spawn("a", runner())
      const asking = yield* Effect.forkChild(ask(ref, silent(kept), 1000), { startImmediately: true })
      const reply = yield* Deferred.await(kept)
      reply(Exit.succeed(1))
      reply(Exit.succeed(2))
      assert.strictEqual(yield* Fiber.join(asking), 1)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("times out at its time, each ask at its own, and the answer that comes then goes nowhere", () =>
    Effect.gen(function* () {
      const kept = yield* Deferred.make<Reply<number, string>>()
      const ref = yield* spawn("a", runner())
      const long = yield* Effect.forkChild(Effect.flip(ask(ref, silent(kept), "1 minute")), {
        startImmediately: true,
      })
      const short = yield* Effect.forkChild(Effect.flip(ask(ref, silent(), 1000)), { startImmediately: true })
      yield* quiet
      yield* TestClock.adjust(999)
      assert.isUndefined(short.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.deepInclude(yield* Fiber.join(short), { _tag: "AskTimeout", path: "a", milliseconds: 1000 })
      assert.isUndefined(long.pollUnsafe())
      yield* TestClock.adjust("59 seconds")
      assert.instanceOf(yield* Fiber.join(long), AskTimeout)
      ;(yield* Deferred.await(kept))(Exit.succeed(1))
      assert.strictEqual(yield* count(ref), 0)
    }).pipe(Effect.provide(layerTest)),
  )

  // The following would wait for ever if a crash or stop were reported by the time limit: the clock stands still.

  it.effect("fails at once when handling it crashes, with the cause", () =>
    Effect.gen(function* () {
      const ref = yield* spawn("a", runner({ supervise: () => Effect.succeed("resume") }))
      const error = yield* Effect.flip(ask(ref, crashing, 1000))
      assert.instanceOf(error, ActorCrashed)
      assert.strictEqual(Cause.squash((error as ActorCrashed).cause as Cause.Cause<string>), "boom")
      assert.strictEqual(yield* count(ref), 0)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect(
    "fails at once when the actor stops: the one in hand, those queued, and those not yet answered",
    () =>
      Effect.gen(function* () {
        const ref = yield* spawn("a", runner())
        const hold = yield* gate
        const asking = yield* Effect.forkChild(
          Effect.all(
            [
              Effect.flip(ask(ref, silent(), 1000)),
              Effect.flip(ask(ref, (_reply: Reply<number>) => hold.run, 1000)),
              Effect.flip(ask(ref, silent(), 1000)),
            ],
            { concurrency: "unbounded" },
          ),
          { startImmediately: true },
        )
        yield* hold.begun
        yield* stop(ref)
        for (const error of yield* Fiber.join(asking)) assert.instanceOf(error, ActorStopped)
        assert.instanceOf(yield* Effect.flip(ask(ref, silent(), 1000)), ActorStopped)
      }).pipe(Effect.provide(layerTest)),
  )

  it.effect("fails at once when a restart loses it, but stays open while it is still queued", () =>
    Effect.gen(function* () {
      const ref = yield* spawn(
        "a",
        runner({ init: () => Effect.succeed(7), supervise: () => Effect.succeed("restart") }),
      )
      const taken = yield* Effect.forkChild(Effect.flip(ask(ref, silent(), 1000)), { startImmediately: true })
      yield* quiet
      tell(ref, () => Effect.fail("boom"))
      const queued = yield* Effect.forkChild(count(ref), { startImmediately: true })
      assert.instanceOf(yield* Fiber.join(taken), ActorCrashed)
      assert.strictEqual(yield* Fiber.join(queued), 7)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("fails at once when the mailbox is full", () =>
    Effect.gen(function* () {
      const ref = yield* spawn("a", runner({ capacity: 1 }))
      const hold = yield* gate
      tell(ref, hold.run)
      yield* hold.begun
      tell(ref, add(1))
      assert.instanceOf(yield* Effect.flip(ask(ref, silent(), 1000)), MailboxFull)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("can be interrupted; its message is handled all the same", () =>
    Effect.gen(function* () {
      const ref = yield* spawn("a", runner())
      const hold = yield* gate
      tell(ref, hold.run)
      const asking = yield* Effect.forkChild(
        ask(ref, (_reply: Reply<number>) => add(5), 1000),
        { startImmediately: true },
      )
      yield* Fiber.interrupt(asking)
      yield* hold.open
      assert.strictEqual(yield* count(ref), 5)
    }).pipe(Effect.provide(layerTest)),
  )
})
