import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Scope from "effect/Scope"
import { ActorSystem, ask, spawn, SpawnRefused, stop, stopped, tell, type Ref, type Reply } from "./index.ts"
import { add, count, gate, layerTest, probe, quiet, runner, type Run } from "./TestKit.ts"

/** Records when a resource is acquired and released. */
const resource = (log: Array<string>, name: string) =>
  Effect.acquireRelease(
    Effect.sync(() => log.push(`+${name}`)),
    () => Effect.sync(() => log.push(`-${name}`)),
  )

const failureOf = <A, E>(exit: Exit.Exit<A, E>): unknown =>
  Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined

describe("an actor", () => {
  it.effect("handles messages in the order in which they were sent", () =>
    Effect.gen(function* () {
      const { ref, received } = yield* probe<number>("probe")
      for (let n = 0; n < 1000; n++) tell(ref, n)
      yield* quiet
      assert.deepStrictEqual(
        received,
        Array.from({ length: 1000 }, (_, n) => n),
      )
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("handles the next message only after a suspended one", () =>
    Effect.gen(function* () {
      const ref = yield* spawn("a", runner())
      const slow = yield* gate
      tell(ref, slow.run)
      yield* slow.begun
      tell(ref, add(1))
      const asked = yield* Effect.forkChild(count(ref), { startImmediately: true })
      yield* Effect.yieldNow
      assert.isUndefined(asked.pollUnsafe())
      yield* slow.open
      assert.strictEqual(yield* Fiber.join(asked), 1)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("takes undefined and other falsy values as messages", () =>
    Effect.gen(function* () {
      const { ref, received } = yield* probe<unknown>("probe")
      for (const message of [undefined, 0, "", null, false]) tell(ref, message)
      yield* quiet
      assert.deepStrictEqual(received, [undefined, 0, "", null, false])
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("runs with the services of its spawner", () => {
    class Greeting extends Context.Service<Greeting, string>()("test/Greeting") {}
    return Effect.gen(function* () {
      const said = yield* Deferred.make<string>()
      const ref = yield* spawn("a", {
        init: () => Effect.void,
        receive: (_state: void, _message: "greet") =>
          Effect.flatMap(Greeting, (text) => Effect.asVoid(Deferred.succeed(said, text))),
      })
      tell(ref, "greet")
      assert.strictEqual(yield* Deferred.await(said), "hello")
    }).pipe(Effect.provide(layerTest), Effect.provideService(Greeting, "hello"))
  })

  it.effect("does not starve timers and other actors when it sends to itself", () =>
    Effect.gen(function* () {
      const loop: Run = (state, ctx) => {
        tell(ctx.self, loop)
        return Effect.succeed(state + 1)
      }
      const ref = yield* spawn("busy", runner())
      tell(ref, loop)
      const other = yield* spawn("other", runner())
      assert.strictEqual(yield* count(other), 0)
      yield* Effect.callback<void>((resume) => void setTimeout(() => resume(Effect.void), 1))
      yield* stop(ref)
    }).pipe(Effect.provide(layerTest)),
  )
})

describe("spawn", () => {
  it.effect("fails with the error of init, after releasing what init acquired, and frees the name", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const init = () => Effect.andThen(resource(log, "r"), Effect.fail("no database"))
      assert.strictEqual(yield* Effect.flip(spawn("a", runner({ init }))), "no database")
      assert.deepStrictEqual(log, ["+r", "-r"])
      yield* spawn("a", runner())
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("passes on a defect and a synchronous throw of init", () =>
    Effect.gen(function* () {
      const died = yield* Effect.exit(spawn("a", runner({ init: () => Effect.die("defect") })))
      assert.strictEqual(failureOf(died), "defect")
      const threw = yield* Effect.exit(
        spawn(
          "a",
          runner({
            init: () => {
              throw new Error("thrown")
            },
          }),
        ),
      )
      assert.strictEqual((failureOf(threw) as Error).message, "thrown")
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("refuses a name that is taken or not allowed", () =>
    Effect.gen(function* () {
      yield* spawn("a", runner())
      const reasonOf = (name: string) =>
        Effect.map(Effect.flip(spawn(name, runner())), (error) => (error as SpawnRefused).reason)
      assert.strictEqual(yield* reasonOf("a"), "name-taken")
      for (const name of ["", "a/b", "a b", "ä", "x".repeat(201)]) {
        assert.strictEqual(yield* reasonOf(name), "name-invalid")
      }
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("keeps mail that arrives while init runs, and handles it afterwards", () =>
    Effect.gen(function* () {
      const self = yield* Deferred.make<Ref<Run>>()
      const go = yield* Deferred.make<void>()
      const init = (ctx: { self: Ref<Run> }) =>
        Deferred.succeed(self, ctx.self).pipe(Effect.andThen(Deferred.await(go)), Effect.as(10))
      const spawning = yield* Effect.forkChild(spawn("a", runner({ init })), { startImmediately: true })
      const ref = yield* Deferred.await(self)
      assert.isTrue(tell(ref, add(5)))
      yield* Effect.yieldNow
      yield* Deferred.succeed(go, undefined)
      assert.strictEqual(yield* Fiber.join(spawning), ref)
      assert.strictEqual(yield* count(ref), 15)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("is refused when the actor is stopped during its init, which is interrupted", () =>
    Effect.gen(function* () {
      const self = yield* Deferred.make<Ref<Run>>()
      const log: Array<string> = []
      const init = (ctx: { self: Ref<Run> }) =>
        resource(log, "r").pipe(
          Effect.andThen(Deferred.succeed(self, ctx.self)),
          Effect.andThen(Effect.never),
        )
      const spawning = yield* Effect.forkChild(Effect.flip(spawn("a", runner({ init }))), {
        startImmediately: true,
      })
      yield* stop(yield* Deferred.await(self))
      assert.strictEqual(((yield* Fiber.join(spawning)) as SpawnRefused).reason, "stopped-while-starting")
      assert.deepStrictEqual(log, ["+r", "-r"])
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("stops the actor when it is interrupted during init", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const init = () => Effect.andThen(resource(log, "r"), Effect.never)
      const spawning = yield* Effect.forkChild(spawn("a", runner({ init })), { startImmediately: true })
      yield* Fiber.interrupt(spawning)
      assert.deepStrictEqual(log, ["+r", "-r"])
      assert.deepStrictEqual(yield* (yield* ActorSystem).tree, [])
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("waits for a stopping actor of the same name, and old references stay dead", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const released = yield* Deferred.make<void>()
      const init = () =>
        Effect.as(
          Effect.acquireRelease(
            Effect.sync(() => log.push("+")),
            () =>
              Effect.andThen(
                Deferred.await(released),
                Effect.sync(() => log.push("-")),
              ),
          ),
          0,
        )
      const first = yield* spawn("a", runner({ init }))
      const stopping = yield* Effect.forkChild(stop(first), { startImmediately: true })
      const again = yield* Effect.forkChild(spawn("a", runner({ init })), { startImmediately: true })
      yield* Effect.yieldNow
      assert.deepStrictEqual(log, ["+"])
      yield* Deferred.succeed(released, undefined)
      const second = yield* Fiber.join(again)
      yield* Fiber.join(stopping)
      assert.deepStrictEqual(log, ["+", "-", "+"])
      assert.isFalse(tell(first, add(1)))
      assert.strictEqual(yield* count(second), 0)
    }).pipe(Effect.provide(layerTest)),
  )
})

describe("stop", () => {
  it.effect("interrupts the running handler and waits for its finalizers", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const begun = yield* Deferred.make<void>()
      const ref = yield* spawn("a", runner())
      tell(ref, () =>
        Deferred.succeed(begun, undefined).pipe(
          Effect.andThen(Effect.never),
          Effect.onInterrupt(() =>
            Effect.andThen(
              Effect.yieldNow,
              Effect.sync(() => log.push("interrupted")),
            ),
          ),
        ),
      )
      yield* Deferred.await(begun)
      yield* stop(ref)
      assert.deepStrictEqual(log, ["interrupted"])
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("releases handler, turn, children and resources in that order, resources in reverse", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const noted = (what: string) => Effect.onInterrupt(() => Effect.sync(() => log.push(what)))
      const begun = yield* Deferred.make<void>()
      const init = () => Effect.as(Effect.andThen(resource(log, "r1"), resource(log, "r2")), 0)
      const ref = yield* spawn("parent", runner({ init }))
      tell(ref, (state, ctx) =>
        Effect.gen(function* () {
          yield* ctx.spawn("child", runner({ init: () => Effect.as(resource(log, "child"), 0) }))
          yield* resource(log, "r3")
          yield* ctx.startTurn(Effect.never.pipe(noted("turn")), () => add(0))
          yield* Deferred.succeed(begun, undefined)
          yield* Effect.never.pipe(noted("handler"))
          return state
        }),
      )
      yield* Deferred.await(begun)
      log.length = 0
      yield* stop(ref)
      assert.deepStrictEqual(log, ["handler", "turn", "-child", "-r3", "-r2", "-r1"])
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("runs every finalizer although some fail, and still completes", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const init = () =>
        Effect.gen(function* () {
          yield* resource(log, "first")
          yield* Effect.addFinalizer(() => Effect.die("broken finalizer"))
          yield* resource(log, "last")
          return 0
        })
      const ref = yield* spawn("a", runner({ init }))
      yield* stop(ref)
      assert.deepStrictEqual(log, ["+first", "+last", "-last", "-first"])
      yield* spawn("a", runner())
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("drops queued mail, takes no more, and handles nothing afterwards", () =>
    Effect.gen(function* () {
      const handled: Array<number> = []
      const note =
        (n: number): Run =>
        (state) => {
          handled.push(n)
          return Effect.succeed(state)
        }
      const ref = yield* spawn("a", runner())
      tell(ref, note(1))
      tell(ref, (state, ctx) => {
        tell(ctx.self, note(3))
        return Effect.as(stop(ctx.self), state)
      })
      tell(ref, note(2))
      yield* stopped(ref)
      assert.deepStrictEqual(handled, [1])
      assert.isFalse(tell(ref, note(4)))
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("can be called by many, again, and by the actor itself", () =>
    Effect.gen(function* () {
      const ref = yield* spawn("a", runner())
      yield* Effect.all([stop(ref), stop(ref), stop(ref)], { concurrency: "unbounded" })
      yield* stop(ref)
      const self = yield* spawn("b", runner())
      tell(self, (_state, ctx) => ctx.stopSelf())
      yield* stopped(self)
      const init = (ctx: { stopSelf: () => Effect.Effect<never> }) => ctx.stopSelf()
      assert.instanceOf(yield* Effect.flip(spawn("c", runner({ init }))), SpawnRefused)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("can be interrupted by the caller while the actor goes on stopping", () =>
    Effect.gen(function* () {
      const release = yield* Deferred.make<void>()
      const init = () =>
        Effect.as(
          Effect.addFinalizer(() => Deferred.await(release)),
          0,
        )
      const ref = yield* spawn("a", runner({ init }))
      const stopping = yield* Effect.forkChild(stop(ref), { startImmediately: true })
      yield* Fiber.interrupt(stopping)
      yield* Deferred.succeed(release, undefined)
      yield* stopped(ref)
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("lets a child stop its parent", () =>
    Effect.gen(function* () {
      const parent = yield* spawn("parent", runner())
      tell(parent, (state, ctx) =>
        Effect.map(ctx.spawn("child", runner()), (child) => {
          tell(child, (n) => Effect.as(stop(ctx.self), n))
          return state
        }),
      )
      yield* stopped(parent)
      assert.deepStrictEqual(yield* (yield* ActorSystem).tree, [])
    }).pipe(Effect.provide(layerTest)),
  )
})

describe("a death watch", () => {
  it.effect("completes for every watcher when the actor crashes, and at once for a dead one", () =>
    Effect.gen(function* () {
      const ref = yield* spawn("a", runner())
      const watching = yield* Effect.forkChild(
        Effect.all([stopped(ref), stopped(ref)], { concurrency: "unbounded" }),
        { startImmediately: true },
      )
      tell(ref, () => Effect.fail("crash"))
      yield* Fiber.join(watching)
      yield* stopped(ref)
    }).pipe(Effect.provide(layerTest)),
  )
})

describe("the tree", () => {
  it.effect("stops children with their parent and shows paths, states and crashes", () =>
    Effect.gen(function* () {
      const system = yield* ActorSystem
      const parent = yield* spawn("parent", runner({ supervise: () => Effect.succeed("resume") }))
      const child = yield* ask(
        parent,
        (reply: Reply<Ref<Run>, string | SpawnRefused>): Run =>
          (state, ctx) =>
            Effect.map(Effect.exit(ctx.spawn("child", runner())), (exit) => {
              reply(exit)
              return state
            }),
        Infinity,
      )
      assert.strictEqual(child.path, "parent/child")
      tell(parent, () => Effect.fail("oops"))
      yield* quiet
      const [first, second] = yield* system.tree
      assert.deepInclude(first, { path: "parent", state: "idle", mailbox: 0, crashes: 1, restarts: 0 })
      assert.include(first?.lastCrash?.cause, "oops")
      assert.deepInclude(second, { path: "parent/child", lastCrash: undefined })
      yield* stop(parent)
      yield* stopped(child)
      assert.deepStrictEqual(yield* system.tree, [])
      assert.deepInclude(yield* system.stats, { actors: 0, crashes: 1 })
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("refuses a child of an actor that has stopped", () =>
    Effect.gen(function* () {
      const kept = yield* Deferred.make<Parameters<Run>[1]>()
      const ref = yield* spawn("parent", runner())
      tell(ref, (state, ctx) => Effect.as(Deferred.succeed(kept, ctx), state))
      const ctx = yield* Deferred.await(kept)
      yield* stop(ref)
      const refused = yield* Effect.flip(ctx.spawn("child", runner()))
      assert.deepInclude(refused, { _tag: "SpawnRefused", path: "parent/child", reason: "parent-stopped" })
    }).pipe(Effect.provide(layerTest)),
  )

  it.effect("is gone, with all it owned, once the runtime is disposed", () =>
    Effect.promise(async () => {
      const log: Array<string> = []
      const runtime = ManagedRuntime.make(layerTest)
      const owning = (name: string) => runner({ init: () => Effect.as(resource(log, name), 0) })
      await runtime.runPromise(
        Effect.gen(function* () {
          const a = yield* spawn("a", owning("a"))
          yield* spawn("b", owning("b"))
          tell(a, (state, ctx) => Effect.as(ctx.spawn("c", owning("c")), state))
          tell(a, (state, ctx) =>
            Effect.as(
              ctx.startTurn(Effect.andThen(resource(log, "turn"), Effect.never), () => add(0)),
              state,
            ),
          )
          yield* quiet
        }),
      )
      log.length = 0
      await runtime.dispose()
      assert.sameMembers(log, ["-turn", "-c", "-a", "-b"])
      assert.isBelow(log.indexOf("-turn"), log.indexOf("-c"))
      assert.isBelow(log.indexOf("-c"), log.indexOf("-a"))
    }),
  )

  it.effect("closes independent trees and siblings beside each other", () =>
    Effect.gen(function* () {
      let open = 0
      let most = 0
      const slow = () =>
        Effect.as(
          Effect.addFinalizer(() =>
            Effect.gen(function* () {
              most = Math.max(most, ++open)
              for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow
              open--
            }),
          ),
          0,
        )
      const scope = yield* Scope.make()
      const system = yield* Layer.buildWithScope(layerTest, scope)
      yield* Effect.gen(function* () {
        for (let n = 0; n < 5; n++) yield* spawn(`tree-${n}`, runner({ init: slow }))
        const parent = yield* spawn("parent", runner())
        for (let n = 0; n < 5; n++)
          tell(parent, (state, ctx) => Effect.as(ctx.spawn(`${n}`, runner({ init: slow })), state))
        yield* quiet
      }).pipe(Effect.provide(system))
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(most, 10)
      assert.strictEqual(open, 0)
    }),
  )
})
