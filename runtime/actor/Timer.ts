/**
 * One-shot timers over an Effect `Clock`. The live clock uses the host's timers directly (an ask costs one); any other
 * clock, such as `TestClock`, is asked to sleep, so tests move time by hand.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

export type Cancel = () => void

export interface Timer {
  /** Runs once after that many milliseconds; never for `Infinity`. */
  readonly after: (milliseconds: number, run: () => void) => Cancel
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly unixMillis: () => number
}

export const make = (context: Context.Context<never>): Timer => {
  const clock = Context.get(context, Clock.Clock)
  const runFork = Effect.runForkWith(context)
  return {
    unixMillis: () => clock.currentTimeMillisUnsafe(),
    now: clock === liveClock ? () => performance.now() : () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
    after: (milliseconds, run) => {
      if (milliseconds === Infinity) return () => {}
      if (clock === liveClock) return hostTimer(milliseconds, run)
      const sleeping = runFork(Effect.andThen(clock.sleep(Duration.millis(milliseconds)), Effect.sync(run)))
      return () => sleeping.interruptUnsafe()
    },
  }
}

const liveClock = Context.get(Context.empty(), Clock.Clock)

/** The host fires at once beyond this many milliseconds (25 days), so longer waits are cut into parts. */
const longest = 2_147_483_647

const hostTimer = (milliseconds: number, run: () => void): Cancel => {
  let timeout: NodeJS.Timeout
  const wait = (rest: number): void => {
    timeout = rest <= longest ? setTimeout(run, rest) : setTimeout(() => wait(rest - longest), longest)
  }
  wait(milliseconds)
  return () => clearTimeout(timeout)
}
