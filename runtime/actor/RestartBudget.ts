/**
 * How often and how fast an actor is restarted: at most `max` restarts within any window of `within`; the first
 * restart of a window is immediate, the n-th waits `backoff * 2^(n-2)`, at most `longest`.
 */
import * as Duration from "effect/Duration"

export interface RestartLimits {
  /** Default 10. */
  readonly max?: number
  /** Default 1 minute. */
  readonly within?: Duration.Input
  /** Default 50 milliseconds. */
  readonly backoff?: Duration.Input
  /** Default 5 seconds. */
  readonly longest?: Duration.Input
}

export class RestartBudget {
  readonly #max: number
  readonly #within: number
  readonly #backoff: number
  readonly #longest: number
  #restarts: ReadonlyArray<number> = []

  constructor(limits: RestartLimits = {}) {
    this.#max = limits.max ?? 10
    this.#within = Duration.toMillis(limits.within ?? "1 minute")
    this.#backoff = Duration.toMillis(limits.backoff ?? "50 millis")
    this.#longest = Duration.toMillis(limits.longest ?? "5 seconds")
  }

  /** Restarts within the window that ends now. `now` in monotonic milliseconds. */
  spent(now: number): number {
    this.#restarts = this.#restarts.filter((at) => now - at < this.#within)
    return this.#restarts.length
  }

  /** Takes one restart: how many milliseconds to wait before it, or undefined when the budget is exhausted. */
  take(now: number): number | undefined {
    const spent = this.spent(now)
    if (spent >= this.#max) return undefined
    this.#restarts = [...this.#restarts, now]
    return spent === 0 ? 0 : Math.min(this.#backoff * 2 ** (spent - 1), this.#longest)
  }
}
