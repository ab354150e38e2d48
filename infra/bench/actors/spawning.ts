/** Run by lifecycle.ts as a fresh process: `spawning.ts nact|ours <count>` prints the milliseconds that the spawns took. */
import * as Effect from "effect/Effect"
import * as Nact from "./Nact.ts"
import * as Ours from "./Ours.ts"
import { timed } from "./Report.ts"

const [, , side, count] = process.argv
const actors = Number(count)

const ours = () =>
  Ours.run(
    Effect.gen(function* () {
      const start = performance.now()
      yield* Ours.spawnMany(actors)
      return performance.now() - start
    }),
  )

console.log(side === "nact" ? await timed(() => Nact.spawns(actors)) : await ours())
