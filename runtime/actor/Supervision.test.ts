import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { ActorSystem, ask, spawn, stop, stopped, tell, type Decision, type Ref, type Reply } from "./index.ts"
import { add, count, gate, layerTest, quiet, runner, type Run } from "./TestKit.ts"

const boom: Run = () => Effect.fail("boom")
const always = (decision: Decision) => () => Effect.succeed(decision)

/** Asks a runner to start a child. */
const child = (parent: Ref<Run>, behavior: ReturnType<typeof runner>) =>
  ask(
    parent,
    (reply: Reply<Ref<Run>>): Run =>
      (state, ctx) =>
        Effect.map(ctx.spawn("child", behavior), (ref) => {
          reply(Exit.succeed(ref))
          return state
        }),
    Infinity,
  )

describe("a crash", () => {
  it.effect("stops the actor when nothing is declared", () =>
    Effect.gen(function* () {
      const ref = yield* spawn("a", runner())
      tell(ref, boom)
      yield* stopped(ref)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect(
    "is a failure, a defect, a throw, an interruption, synchronous or suspended; mail behind it is kept",
    () =>
      Effect.gen(function* () {
        const causes: Array<unknown> = []
        const ref = yield* spawn(
          "a",
          runner({
            supervise: ({ cause }) =>
              Effect.sync(() => (causes.push(Cause.squash(cause)), "resume" as const)),
          }),
        )
        tell(ref, () => Effect.fail("failure"))
        tell(ref, add(1))
        tell(ref, () => Effect.die("defect"))
        tell(ref, () => {
          throw "throw"
        })
        tell(ref, add(10))
        tell(ref, () => Effect.andThen(Effect.yieldNow, Effect.fail("late failure")))
        tell(ref, () => Effect.andThen(Effect.yieldNow, Effect.die("late defect")))
        tell(ref, () => Effect.promise(() => Promise.reject("rejection")))
        tell(ref, () => Effect.interrupt)
        assert.strictEqual(yield* count(ref), 11)
        assert.deepStrictEqual(causes.slice(0, 6), [
          "failure",
          "defect",
          "throw",
          "late failure",
          "late defect",
          "rejection",
        ])
        assert.lengthOf(causes, 7)
      }).pipe(Effect.provide(layerTest)),
  )

  it.effect(
    "restarts with a new init, after releasing what the old incarnation owned, and keeps the mailbox",
    () =>
      Effect.gen(function* () {
        const log: Array<string> = []
        let life = 0
        const ref = yield* spawn(
          "a",
          runner({
            init: () => {
              const name = `life ${++life}`
              return Effect.as(
                Effect.acquireRelease(
                  Effect.sync(() => log.push(`+${name}`)),
                  () => Effect.sync(() => log.push(`-${name}`)),
                ),
                life * 100,
              )
            },
            supervise: always("restart"),
          }),
        )
        tell(ref, add(1))
        tell(ref, boom)
        tell(ref, add(2))
        assert.strictEqual(yield* count(ref), 202)
        assert.deepStrictEqual(log, ["+life 1", "-life 1", "+life 2"])
        yield* stop(ref)
        assert.deepStrictEqual(log.slice(3), ["-life 2"])
      }).pipe(Effect.provide(layerTest)),
  )

  it.effect("stops the children of the crashed incarnation before the next one begins", () =>
    Effect.gen(function* () {
      const parent = yield* spawn("parent", runner({ supervise: always("restart") }))
      const first = yield* child(parent, runner())
      tell(parent, boom)
      const second = yield* child(parent, runner())
      yield* stopped(first)
      assert.strictEqual(yield* count(second), 0)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("tells supervision the message and the restarts so far", () =>
    Effect.gen(function* () {
      const seen: Array<readonly [boolean, number]> = []
      const ref = yield* spawn(
        "a",
        runner({
          restarts: { backoff: 0 },
          supervise: (crash) => {
            seen.push([crash.message === boom, crash.restarts])
            return Effect.succeed(seen.length < 3 ? "restart" : "stop")
          },
        }),
      )
      for (let n = 0; n < 3; n++) tell(ref, boom)
      yield* stopped(ref)
      assert.deepStrictEqual(seen, [
        [true, 0],
        [true, 1],
        [true, 2],
      ])
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("suspends the actor until an asynchronous decision", () =>
    Effect.gen(function* () {
      const decided = yield* Deferred.make<Decision>()
      const ref = yield* spawn("a", runner({ supervise: () => Deferred.await(decided) }))
      tell(ref, boom)
      const counting = yield* Effect.forkChild(count(ref), { startImmediately: true })
      for (let turn = 0; turn < 10; turn++) yield* Effect.yieldNow
      assert.isUndefined(counting.pollUnsafe())
      assert.deepInclude((yield* (yield* ActorSystem).tree)[0], { state: "supervised", mailbox: 1 })
      yield* Deferred.succeed(decided, "resume")
      assert.strictEqual(yield* Fiber.join(counting), 0)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("stops the actor when supervision itself fails or throws", () =>
    Effect.gen(function* () {
      const dies = yield* spawn("dies", runner({ supervise: () => Effect.die("no policy") }))
      const throws = yield* spawn(
        "throws",
        runner({
          supervise: () => {
            throw new Error("no policy")
          },
        }),
      )
      tell(dies, boom)
      tell(throws, boom)
      yield* stopped(dies)
      yield* stopped(throws)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("can be cut short by a stop, during the decision and during the next init", () =>
    Effect.gen(function* () {
      const deciding = yield* spawn("deciding", runner({ supervise: () => Effect.never }))
      tell(deciding, boom)
      yield* quietUntil("deciding", "supervised")
      yield* stop(deciding)
      let life = 0
      const starting = yield* spawn(
        "starting",
        runner({
          init: () => (life++ === 0 ? Effect.succeed(0) : Effect.never),
          supervise: always("restart"),
        }),
      )
      tell(starting, boom)
      yield* quietUntil("starting", "supervised")
      yield* stop(starting)
      assert.strictEqual(life, 2)
      assert.deepStrictEqual(yield* (yield* ActorSystem).tree, [])
    }).pipe(Effect.provide(layerTest)),
  )
})

const quietUntil = (path: string, state: string) =>
  Effect.gen(function* () {
    const system = yield* ActorSystem
    while (!(yield* system.tree).some((actor) => actor.path === path && actor.state === state)) {
      yield* Effect.yieldNow
    }
  })

describe("an escalated crash", () => {
  it.effect(
    "stops the child and crashes its parent, which decides for itself, ahead of its ordinary mail",
    () =>
      Effect.gen(function* () {
        const causes: Array<unknown> = []
        const parent = yield* spawn(
          "parent",
          runner({
            supervise: ({ cause, message }) =>
              Effect.sync(() => (causes.push(Cause.squash(cause), message), "resume" as const)),
          }),
        )
        const ref = yield* child(parent, runner({ supervise: always("escalate") }))
        tell(ref, boom)
        yield* stopped(ref)
        assert.strictEqual(yield* count(parent), 0)
        assert.deepStrictEqual(causes, ["boom", undefined])
      }).pipe(Effect.provide(layerTest)),
  )

  it.effect("waits for the parent's running handler", () =>
    Effect.gen(function* () {
      const parent = yield* spawn("parent", runner())
      const ref = yield* child(parent, runner({ supervise: always("escalate") }))
      const hold = yield* gate
      tell(parent, hold.run)
      yield* hold.begun
      tell(ref, boom)
      yield* stopped(ref)
      assert.deepInclude((yield* (yield* ActorSystem).tree)[0], { path: "parent", state: "busy" })
      yield* hold.open
      yield* stopped(parent)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("stops an actor at the root and nothing else", () =>
    Effect.gen(function* () {
      const ref = yield* spawn("a", runner({ supervise: always("escalate") }))
      const other = yield* spawn("b", runner())
      tell(ref, boom)
      yield* stopped(ref)
      assert.strictEqual(yield* count(other), 0)
    }).pipe(Effect.provide(layerTest)),
  )
})

describe("the restart budget", () => {
  it.effect("backs off, and stops the actor when it is exhausted within its window", () =>
    Effect.gen(function* () {
      const system = yield* ActorSystem
      const restarts = { max: 3, within: "1 minute", backoff: "100 millis", longest: "150 millis" } as const
      const ref = yield* spawn("a", runner({ supervise: always("restart"), restarts }))
      const restarted = Effect.map(system.tree, (tree) => tree[0]?.restarts)
      tell(ref, boom)
      yield* quiet
      assert.strictEqual(yield* restarted, 1)
      tell(ref, boom)
      yield* quietUntil("a", "supervised")
      yield* TestClock.adjust(99)
      assert.strictEqual(yield* restarted, 1)
      yield* TestClock.adjust(1)
      yield* quiet
      assert.strictEqual(yield* restarted, 2)
      tell(ref, boom)
      yield* quietUntil("a", "supervised")
      yield* TestClock.adjust(150)
      yield* quiet
      assert.strictEqual(yield* restarted, 3)
      tell(ref, boom)
      yield* stopped(ref)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("is whole again when its window has passed", () =>
    Effect.gen(function* () {
      const restarts = { max: 1, within: "1 minute" } as const
      const ref = yield* spawn("a", runner({ supervise: always("restart"), restarts }))
      for (let n = 0; n < 3; n++) {
        tell(ref, boom)
        yield* quiet
        yield* TestClock.adjust("1 minute")
      }
      assert.strictEqual(yield* count(ref), 0)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("ends a circle of failing inits, and supervision may decide otherwise before", () =>
    Effect.gen(function* () {
      const inits = { circle: 0, wise: 0 }
      const failing = (name: keyof typeof inits) => () =>
        inits[name]++ === 0 ? Effect.succeed(0) : Effect.fail("still down")
      const restarts = { max: 3, backoff: 0 } as const
      const circle = yield* spawn(
        "circle",
        runner({ init: failing("circle"), supervise: always("restart"), restarts }),
      )
      const wise = yield* spawn(
        "wise",
        runner({
          init: failing("wise"),
          restarts,
          supervise: ({ message }) => Effect.succeed(message === undefined ? "resume" : "restart"),
        }),
      )
      tell(circle, boom)
      tell(wise, boom)
      yield* stopped(circle)
      yield* stopped(wise)
      assert.deepStrictEqual(inits, { circle: 4, wise: 2 })
    }).pipe(Effect.provide(layerTest)),
  )
})
