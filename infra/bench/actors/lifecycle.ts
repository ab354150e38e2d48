/** Memory, starting and stopping: goals 7, 8 and 11. */
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { execFileSync } from "node:child_process"
import * as v8 from "node:v8"
import * as vm from "node:vm"
import { ActorSystem, spawn, stop, tell, type Behavior } from "../../../runtime/actor/index.ts"
import * as Ours from "./Ours.ts"
import { atLeast, atMost, median, ratio, timed, type Line } from "./Report.ts"

v8.setFlagsFromString("--expose-gc")
const collect = vm.runInNewContext("gc") as () => void

const heap = (): number => {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

export async function* lifecycle(): AsyncGenerator<Line> {
  yield* spawning()
  yield* memory()
  yield* disposal()
}

/** In fresh processes, because a heap that was used makes later spawns slower or faster by a factor. */
const fresh = (side: "nact" | "ours", count: number): number => {
  const script = new URL("./spawning.ts", import.meta.url).pathname
  return Number(execFileSync(process.execPath, [script, side, `${count}`], { encoding: "utf8" }))
}

async function* spawning(): AsyncGenerator<Line> {
  const count = 100_000
  const rates: Array<number> = []
  const ours = async () => {
    const taken = fresh("ours", count)
    rates.push((count / taken) * 1000)
    return taken
  }
  const against = await ratio(ours, async () => fresh("nact", count), 3, 0)
  yield atLeast("8a spawns per second", median(rates), 20_000, "/s")
  yield atLeast("8b the same against nact", against, 0.2, "x")
  const cycles = await Ours.run(
    Effect.gen(function* () {
      yield* cycle(5000)
      const start = performance.now()
      yield* cycle(10_000)
      return 10_000 / (performance.now() - start)
    }),
  )
  yield atLeast("8c spawn + tell + stop per second", cycles * 1000, 15_000, "/s")
}

const idle: Behavior<number, number> = {
  init: () => Effect.succeed(0),
  receive: (state, n) => Effect.succeed(state + n),
}

const cycle = (count: number) =>
  Effect.gen(function* () {
    for (let n = 0; n < count; n++) {
      const actor = yield* spawn("cycle", idle)
      tell(actor, n)
      yield* stop(actor)
    }
  })

async function* memory(): AsyncGenerator<Line> {
  const runtime = ManagedRuntime.make(ActorSystem.layer)
  await runtime.runPromise(cycle(100))
  const before = heap()
  const count = 100_000
  await runtime.runPromise(
    Effect.gen(function* () {
      for (let n = 0; n < count; n++) yield* spawn(`a${n}`, idle)
    }),
  )
  yield atMost("7a heap per idle actor, 100,000 of them", (heap() - before) / count / 1000, 3, " kB")
  await runtime.dispose()
  const cycles = ManagedRuntime.make(ActorSystem.layer)
  await cycles.runPromise(cycle(5000))
  const first = heap()
  await cycles.runPromise(cycle(25_000))
  yield atMost("7b heap after 25,000 more spawn and stop cycles", heap() / first, 1.05, "x")
  await cycles.dispose()
}

async function* disposal(): AsyncGenerator<Line> {
  const many = ManagedRuntime.make(ActorSystem.layer)
  await many.runPromise(Ours.spawnMany(10_000))
  yield atMost("11a dispose of 10,000 idle actors", await timed(() => many.dispose()), 1000, " ms")
  const slow = ManagedRuntime.make(ActorSystem.layer)
  await slow.runPromise(
    Effect.gen(function* () {
      for (let n = 0; n < 50; n++) {
        yield* spawn(`slow${n}`, {
          ...idle,
          init: () =>
            Effect.as(
              Effect.addFinalizer(() => Effect.sleep(20)),
              0,
            ),
        })
      }
    }),
  )
  const over = (await timed(() => slow.dispose())) - 20
  yield atMost("11b dispose of 50 trees beyond their slowest finalizer", over, 50, " ms")
}
