/** Messages per second: goals 1 to 5. */
import * as Effect from "effect/Effect"
import { spawn, tell, type Behavior, type Ref, type SpawnRefused } from "../../../runtime/actor/index.ts"
import * as Nact from "./Nact.ts"
import * as Ours from "./Ours.ts"
import { atLeast, ratio, timed, type Line } from "./Report.ts"

const messages = 200_000

export async function* throughput(): AsyncGenerator<Line> {
  const burst = (style: Ours.Style) =>
    ratio(
      () => timed(() => Ours.burst(messages, style)),
      () => timed(() => Nact.burst(messages)),
    )
  yield atLeast("1  burst to one actor, Effect.succeed, against nact", await burst("succeed"), 6, "x")
  yield atLeast("2a the same with Effect.sync", await burst("sync"), 2.5, "x")
  yield atLeast("2b the same with Effect.gen", await burst("gen"), 0.5, "x")
  const pingPong = await ratio(
    () => timed(() => Ours.pingPong(100_000)),
    () => timed(() => Nact.pingPong(100_000)),
  )
  yield atLeast("3  ping-pong between two actors, against nact", pingPong, 0.65, "x")
  const fanOut = await ratio(
    () => timed(() => Ours.fanOut(1000, 100)),
    () => timed(() => Nact.fanOut(1000, 100)),
  )
  yield atLeast("4  fan-out to 1,000 actors, against nact", fanOut, 0.5, "x")
  yield atLeast("5  a parent's rate with 10,000 children, against none", await childCount(10_000), 0.8, "x")
}

interface Hop {
  readonly left: number
  readonly done: () => void
}

/** A parent that sends itself one message after the other, each in its own turn of the event loop. */
const parent = (children: number): Behavior<void, Hop, SpawnRefused> => ({
  init: (ctx) =>
    Effect.gen(function* () {
      for (let n = 0; n < children; n++) yield* ctx.spawn(`c${n}`, Ours.echo)
    }),
  receive: (_, hop, ctx) => {
    if (hop.left === 0) hop.done()
    else setImmediate(() => tell(ctx.self, { left: hop.left - 1, done: hop.done }))
    return Effect.void
  },
})

const childCount = (children: number): Promise<number> =>
  Ours.run(
    Effect.gen(function* () {
      const none = yield* spawn("none", parent(0))
      const many = yield* spawn("many", parent(children))
      const hops = (ref: Ref<Hop>) => () =>
        timed(() => new Promise<void>((done) => void tell(ref, { left: 20_000, done })))
      return yield* Effect.promise(() => ratio(hops(many), hops(none)))
    }),
  )
