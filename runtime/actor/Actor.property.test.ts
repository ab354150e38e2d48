/**
 * Random lives of a small tree of actors. Whatever happens: handlers of one actor never overlap, each sender's messages
 * are handled in order and at most once, nothing accepted is lost unless the actor stopped, and everything
 * acquired is released.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { drain, spawn, stop, tell, tellControl, type Decision, type Ref } from "./index.ts"
import { layerTest, quiet, runner, type Run } from "./TestKit.ts"

type How = "now" | "sync" | "suspended" | "fails" | "dies" | "throws" | "fails suspended"
type Step =
  | {
      readonly do: "tell"
      readonly to: number
      readonly sender: number
      readonly how: How
      readonly control: boolean
    }
  | { readonly do: "turn" | "interrupt" | "child" | "stop" | "drain" | "stopSelf"; readonly to: number }
  | { readonly do: "yield" }

const actors = 3
const to = fc.nat({ max: actors - 1 })
const how = fc.constantFrom<How>("now", "sync", "suspended", "fails", "dies", "throws", "fails suspended")
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("tell"),
      to,
      sender: fc.nat({ max: 2 }),
      how,
      control: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("turn", "interrupt", "child"), to }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("stop", "drain", "stopSelf"), to }) },
  { weight: 4, arbitrary: fc.constant({ do: "yield" }) },
)
const decisions = fc.array(fc.constantFrom<Decision>("resume", "restart", "stop", "escalate"), {
  minLength: 1,
  maxLength: 4,
})

interface World {
  readonly handled: Array<{ readonly actor: number; readonly lane: string; readonly n: number }>
  readonly accepted: Array<{ readonly actor: number; readonly lane: string; readonly n: number }>
  overlapped: boolean
  acquired: number
  released: number
}

const owned = (world: World) =>
  Effect.acquireRelease(
    Effect.sync(() => void world.acquired++),
    () =>
      Effect.andThen(
        Effect.sync(() => void world.released++),
        world.acquired % 3 === 0 ? Effect.die("broken finalizer") : Effect.yieldNow,
      ),
  )

/** Marks its handler as running while `body` does. */
const alone =
  (world: World, busy: { now: boolean }, body: Run): Run =>
  (state, ctx) =>
    Effect.suspend(() => {
      if (busy.now) world.overlapped = true
      busy.now = true
      return body(state, ctx)
    }).pipe(Effect.ensuring(Effect.sync(() => (busy.now = false))))

const bodies = (world: World): Record<How, Run> => ({
  now: (state) => Effect.succeed(state + 1),
  sync: (state) => Effect.andThen(owned(world), Effect.succeed(state + 1)),
  suspended: (state) => Effect.andThen(Effect.yieldNow, Effect.succeed(state + 1)),
  fails: () => Effect.fail("fails"),
  dies: () => Effect.die("dies"),
  throws: () => {
    throw new Error("throws")
  },
  "fails suspended": () => Effect.andThen(Effect.yieldNow, Effect.fail("fails later")),
})

const live = (world: World, steps: ReadonlyArray<Step>, policy: ReadonlyArray<Decision>, finish: boolean) =>
  Effect.gen(function* () {
    const body = bodies(world)
    const busy = Array.from({ length: actors }, () => ({ now: false }))
    let crashes = 0
    let names = 0
    const behavior = (capacity: number) =>
      runner({
        capacity,
        restarts: { max: 1000, backoff: 0 },
        init: () => Effect.as(owned(world), 0),
        supervise: () => Effect.succeed(policy[crashes++ % policy.length]!),
      })
    const refs: Array<Ref<Run>> = []
    for (let n = 0; n < actors; n++) refs.push(yield* spawn(`a${n}`, behavior(5)))
    let sent = 0
    for (const step of steps) {
      if (step.do === "yield") {
        yield* Effect.yieldNow
        continue
      }
      const ref = refs[step.to]!
      const run = (run: Run) => tell(ref, alone(world, busy[step.to]!, run))
      switch (step.do) {
        case "tell": {
          const n = sent++
          const mail = { actor: step.to, lane: `${step.control ? "control" : "ordinary"} ${step.sender}`, n }
          const noted: Run = (state, ctx) => {
            world.handled.push(mail)
            return body[step.how](state, ctx)
          }
          const send = step.control ? tellControl : tell
          if (send(ref, alone(world, busy[step.to]!, noted))) world.accepted.push(mail)
          break
        }
        case "turn":
          run((state, ctx) =>
            Effect.as(
              ctx.startTurn(
                Effect.andThen(owned(world), Effect.andThen(Effect.yieldNow, Effect.yieldNow)),
                () => alone(world, busy[step.to]!, body.suspended),
              ),
              state,
            ),
          )
          break
        case "interrupt":
          run((state, ctx) => Effect.as(ctx.interruptTurn(), state))
          break
        case "child":
          run((state, ctx) =>
            Effect.as(
              Effect.tap(ctx.spawn(`c${names++}`, behavior(5)), (child) =>
                Effect.sync(() => tell(child, body.fails)),
              ),
              state,
            ),
          )
          break
        case "stopSelf":
          run((_state, ctx) => ctx.stopSelf())
          break
        case "stop":
          yield* Effect.forkChild(stop(ref), { startImmediately: true })
          break
        case "drain":
          yield* Effect.forkChild(drain(ref), { startImmediately: true })
          break
      }
    }
    if (finish) yield* quiet
  })

const newWorld = (): World => ({ handled: [], accepted: [], overlapped: false, acquired: 0, released: 0 })

const inOrder = (world: World): boolean => {
  const last = new Map<string, number>()
  return world.handled.every(({ actor, lane, n }) => {
    const key = `${actor} ${lane}`
    const before = last.get(key) ?? -1
    last.set(key, n)
    return n > before
  })
}

describe("any life of actors", () => {
  it("keeps handlers apart, mail in order, and leaks nothing", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        decisions,
        fc.boolean(),
        async (steps, policy, finish) => {
          const world = newWorld()
          await Effect.runPromise(live(world, steps, policy, finish).pipe(Effect.provide(layerTest)))
          assert.isFalse(world.overlapped)
          assert.isTrue(inOrder(world))
          assert.strictEqual(world.released, world.acquired)
        },
      ),
      { numRuns: 300 },
    ))

  it("loses nothing that was accepted while no actor stops, whatever crashes", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          step.filter((step) => !["stop", "drain", "stopSelf", "child"].includes(step.do)),
          { maxLength: 60 },
        ),
        fc.array(fc.constantFrom<Decision>("resume", "restart"), { minLength: 1, maxLength: 4 }),
        async (steps, policy) => {
          const world = newWorld()
          await Effect.runPromise(live(world, steps, policy, true).pipe(Effect.provide(layerTest)))
          const handled = new Set(world.handled)
          assert.isTrue(world.accepted.every((mail) => handled.has(mail)))
          assert.strictEqual(world.handled.length, world.accepted.length)
        },
      ),
      { numRuns: 200 },
    ))
})
