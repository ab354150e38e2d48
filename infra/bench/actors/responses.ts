/** Answers: asks, crashes and stops as seen by the asker, steering. Goals 6 and 10. */
import * as Effect from "effect/Effect"
import { ask, spawn, stop, tell, type Behavior, type Reply } from "../../../runtime/actor/index.ts"
import * as Nact from "./Nact.ts"
import * as Ours from "./Ours.ts"
import { atLeast, atMost, quantile, ratio, timed, type Line } from "./Report.ts"

export async function* responses(): AsyncGenerator<Line> {
  const asks = await ratio(
    () => timed(() => Ours.asks(50_000)),
    () => timed(() => Nact.asks(50_000)),
  )
  yield atLeast("6a ask, one after the other, against nact.query", asks, 2, "x")
  yield atMost("6b a crash fails its ask, p99", await failedAsks("crash"), 5, " ms")
  yield atMost("6c a stop fails the asks of the actor, p99", await failedAsks("stop"), 5, " ms")
  const steering = await steer()
  yield atMost("10 interrupt to the next turn's start, p99", steering, 20, " ms")
}

type Ask = { readonly type: "crash" | "stop"; readonly reply: Reply<never> }

const failing: Behavior<void, Ask, string> = {
  init: () => Effect.void,
  receive: (_, message) => (message.type === "crash" ? Effect.fail("crash") : Effect.never),
}

const failedAsks = (type: Ask["type"]): Promise<number> =>
  Ours.run(
    Effect.gen(function* () {
      const taken: Array<number> = []
      for (let n = 0; n < 500; n++) {
        const actor = yield* spawn(`a${n}`, failing)
        const asking = Effect.exit(ask(actor, (reply: Reply<never>) => ({ type, reply }), 60_000))
        const start = performance.now()
        if (type === "stop") setImmediate(() => Effect.runFork(stop(actor)))
        yield* asking
        taken.push(performance.now() - start)
      }
      return quantile(taken.slice(100), 0.99)
    }),
  )

type Steer = { readonly type: "start"; readonly started: () => void } | { readonly type: "ended" }

const steered: Behavior<void, Steer> = {
  init: () => Effect.void,
  receive: (_, message, ctx) =>
    message.type === "ended"
      ? Effect.void
      : ctx.startTurn(Effect.andThen(Effect.sync(message.started), Effect.never), () => ({ type: "ended" })),
}

const steer = (): Promise<number> =>
  Ours.run(
    Effect.gen(function* () {
      const actor = yield* spawn("steered", steered)
      const taken: Array<number> = []
      for (let n = 0; n < 1000; n++) {
        const turn = () => new Promise<void>((started) => void tell(actor, { type: "start", started }))
        taken.push(yield* Effect.promise(() => timed(turn)))
      }
      return quantile(taken.slice(1), 0.99)
    }),
  )
