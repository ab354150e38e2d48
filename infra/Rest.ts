/**
 * Gives memory back when there is nothing to do. A start and a burst leave young garbage that V8 keeps for the next one; a
 * process that rests needs none of it. Looked at every five seconds, done at most once after each time of work.
 */
import * as Effect from "effect/Effect"
import { memoryUsage } from "node:process"
import { performance } from "node:perf_hooks"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

/** The share of time that a resting process is busy, at most. */
const resting = 0.03
/** Less than this is not worth a pause of about 100 ms. */
const worthIt = 16 * 1024 * 1024

type Collect = (options: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void

export const rest = Effect.gen(function* () {
  const collect = yield* Effect.sync(() => {
    setFlagsFromString("--expose-gc")
    return runInNewContext("gc") as Collect
  })
  let before = performance.eventLoopUtilization()
  let small = 0
  const look = Effect.sync(() => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    if (utilization > resting || memoryUsage.rss() < small + worthIt) return
    collect({ type: "major", execution: "sync", flavor: "last-resort" })
    small = memoryUsage.rss()
  })
  yield* Effect.forkScoped(Effect.forever(Effect.delay(look, "5 seconds")))
})
