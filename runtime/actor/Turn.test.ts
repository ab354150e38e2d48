import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { ask, spawn, stop, stopped, tell, type Ctx, type Reply } from "./index.ts"
import { add, count, layerTest, quiet, runner, type Run } from "./TestKit.ts"

/** A turn that goes on until it is told to end, and notes when it is interrupted. */
const openTurn = (log: Array<string>, name: string) =>
  Effect.gen(function* () {
    const begun = yield* Deferred.make<void>()
    const end = yield* Deferred.make<number>()
    const effect = Deferred.succeed(begun, undefined).pipe(
      Effect.andThen(Deferred.await(end)),
      Effect.onInterrupt(() =>
        Effect.andThen(
          Effect.yieldNow,
          Effect.sync(() => log.push(`${name} interrupted`)),
        ),
      ),
    )
    const start: Run = (state, ctx) =>
      Effect.as(
        ctx.startTurn(effect, (exit) => add(Exit.isSuccess(exit) ? exit.value : -1000)),
        state,
      )
    return { start, effect, begun: Deferred.await(begun), end: (n: number) => Deferred.succeed(end, n) }
  })

/** Reads something from a runner's context. */
const read =
  <A>(of: (ctx: Ctx<Run>) => Effect.Effect<A>) =>
  (reply: Reply<A>): Run =>
  (state, ctx) =>
    Effect.map(of(ctx), (value) => {
      reply(Exit.succeed(value))
      return state
    })
const running = read((ctx) => Effect.sync(() => ctx.turnRunning))
const interrupt = read((ctx) => ctx.interruptTurn())

describe("a turn", () => {
  it.effect("runs beside the mailbox, which stays responsive, and its exit comes back as a message", () =>
    Effect.gen(function* () {
      const turn = yield* openTurn([], "turn")
      const ref = yield* spawn("a", runner())
      tell(ref, turn.start)
      yield* turn.begun
      tell(ref, add(1))
      assert.strictEqual(yield* count(ref), 1)
      assert.isTrue(yield* ask(ref, running, 1000))
      yield* turn.end(10)
      yield* quiet
      assert.strictEqual(yield* count(ref), 11)
      assert.isFalse(yield* ask(ref, running, 1000))
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("brings back failures, defects and immediate ends too", () =>
    Effect.gen(function* () {
      const exits: Array<string> = []
      const ref = yield* spawn("a", runner())
      for (const effect of [
        Effect.succeed("now"),
        Effect.fail("failed"),
        Effect.die("died"),
        Effect.as(Effect.yieldNow, "soon"),
      ]) {
        tell(ref, (state, ctx) =>
          Effect.as(
            ctx.startTurn(effect as Effect.Effect<string, string>, (exit) => (n) => {
              exits.push(exit._tag)
              return Effect.succeed(n)
            }),
            state,
          ),
        )
        yield* quiet
        yield* Effect.yieldNow
        yield* quiet
      }
      assert.deepStrictEqual(exits, ["Success", "Failure", "Failure", "Success"])
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect(
    "is interrupted, its finalizers run, before interruptTurn answers; its result is never seen",
    () =>
      Effect.gen(function* () {
        const log: Array<string> = []
        const turn = yield* openTurn(log, "turn")
        const ref = yield* spawn("a", runner())
        assert.isFalse(yield* ask(ref, interrupt, 1000))
        tell(ref, turn.start)
        yield* turn.begun
        assert.isTrue(yield* ask(ref, interrupt, 1000))
        assert.deepStrictEqual(log, ["turn interrupted"])
        assert.isFalse(yield* ask(ref, running, 1000))
        assert.strictEqual(yield* count(ref), 0)
      }).pipe(Effect.provide(layerTest)),
  )

  it.effect("whose result is already queued when it is interrupted is not seen either", () =>
    Effect.gen(function* () {
      const turn = yield* openTurn([], "turn")
      const ref = yield* spawn("a", runner())
      tell(ref, turn.start)
      yield* turn.begun
      // Within one handler: the turn ends, its result is queued behind, and only then it is interrupted.
      const outstanding = yield* ask(
        ref,
        read((ctx) =>
          turn
            .end(10)
            .pipe(
              Effect.andThen(Effect.yieldNow),
              Effect.andThen(Effect.sync(() => assert.isTrue(ctx.turnRunning))),
              Effect.andThen(ctx.interruptTurn()),
            ),
        ),
        1000,
      )
      assert.isTrue(outstanding)
      yield* quiet
      assert.strictEqual(yield* count(ref), 0)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("is replaced by a new one, after its finalizers", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const first = yield* openTurn(log, "first")
      const second = yield* openTurn(log, "second")
      const ref = yield* spawn("a", runner())
      tell(ref, first.start)
      yield* first.begun
      tell(ref, second.start)
      yield* second.begun
      assert.deepStrictEqual(log, ["first interrupted"])
      yield* first.end(1)
      yield* second.end(20)
      yield* quiet
      assert.strictEqual(yield* count(ref), 20)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("has begun, with its finalizers in place, before anything can stop it", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const ref = yield* spawn("a", runner())
      tell(ref, (_state, ctx) =>
        Effect.andThen(
          ctx.startTurn(
            Effect.onInterrupt(Effect.never, () => Effect.sync(() => log.push("interrupted"))),
            () => add(0),
          ),
          ctx.stopSelf(),
        ),
      )
      yield* stopped(ref)
      assert.deepStrictEqual(log, ["interrupted"])
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("owns its resources: they are released at its end, not at the actor's", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const ref = yield* spawn("a", runner())
      const use = Effect.acquireRelease(
        Effect.sync(() => log.push("+")),
        () => Effect.sync(() => log.push("-")),
      )
      tell(ref, (state, ctx) =>
        Effect.as(
          ctx.startTurn(use, () => add(1)),
          state,
        ),
      )
      yield* quiet
      assert.strictEqual(yield* count(ref), 1)
      assert.deepStrictEqual(log, ["+", "-"])
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("ends with its incarnation: a restart interrupts it and drops its result", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const turn = yield* openTurn(log, "turn")
      const ref = yield* spawn("a", runner({ supervise: () => Effect.succeed("restart") }))
      tell(ref, turn.start)
      yield* turn.begun
      tell(ref, () => Effect.andThen(Effect.andThen(turn.end(10), Effect.yieldNow), Effect.fail("boom")))
      assert.strictEqual(yield* count(ref), 0)
      assert.isFalse(yield* ask(ref, running, 1000))
      yield* stop(ref)
      assert.deepStrictEqual(log, [])
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("can stop its own actor, and a result that throws is a crash", () =>
    Effect.gen(function* () {
      const suicidal = yield* spawn("suicidal", runner())
      tell(suicidal, (state, ctx) =>
        Effect.as(
          ctx.startTurn(stop(ctx.self), () => add(1)),
          state,
        ),
      )
      yield* stopped(suicidal)
      const late = yield* spawn("late", runner())
      tell(late, (state, ctx) =>
        Effect.as(
          ctx.startTurn(Effect.andThen(Effect.yieldNow, stop(ctx.self)), () => add(1)),
          state,
        ),
      )
      yield* stopped(late)
      const ref = yield* spawn("a", runner())
      tell(ref, (state, ctx) =>
        Effect.as(
          ctx.startTurn(Effect.void, () => {
            throw new Error("no message")
          }),
          state,
        ),
      )
      yield* stopped(ref)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("still finalizing after an abandoned interrupt delays the next turn", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const release = yield* Deferred.make<void>()
      const begun = yield* Deferred.make<void>()
      const stubborn = Deferred.succeed(begun, undefined).pipe(
        Effect.andThen(Effect.never),
        Effect.onInterrupt(() =>
          Effect.andThen(
            Deferred.await(release),
            Effect.sync(() => log.push("released")),
          ),
        ),
      )
      const ref = yield* spawn("a", runner())
      tell(ref, (state, ctx) =>
        Effect.as(
          ctx.startTurn(stubborn, () => add(1)),
          state,
        ),
      )
      yield* Deferred.await(begun)
      tell(ref, (state, ctx) => Effect.as(Effect.raceFirst(ctx.interruptTurn(), Effect.yieldNow), state))
      tell(ref, (state, ctx) =>
        Effect.as(
          ctx.startTurn(
            Effect.sync(() => log.push("next")),
            () => add(10),
          ),
          state,
        ),
      )
      const counting = yield* Effect.forkChild(count(ref), { startImmediately: true })
      for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow
      assert.deepStrictEqual(log, [])
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(counting)
      yield* quiet
      assert.deepStrictEqual(log, ["released", "next"])
      assert.strictEqual(yield* count(ref), 10)
    }).pipe(Effect.provide(layerTest)),
  )
})
