/**
 * GitHub's limits on creating content, kept by us so that it never has to refuse: 80 requests a minute and 500 an hour, an
 * installation. A wait is a delay, never a failure.
 */
import type { Clocks } from "./Clocks.ts"

const perMinute = 80
const perHour = 500
const minute = 60_000
const hour = 3_600_000

export class Pace {
  private readonly made = new Map<number, Array<number>>()
  private readonly blocked = new Map<number, number>()
  private readonly clocks: Clocks

  constructor(clocks: Clocks) {
    this.clocks = clocks
  }

  /** Takes a place, or tells how many milliseconds to wait for one. */
  take(installation: number): number {
    const now = this.clocks.steady()
    const recent = (this.made.get(installation) ?? []).filter((at) => at > now - hour)
    const wait = Math.max(
      (this.blocked.get(installation) ?? 0) - now,
      recent.length >= perHour ? recent[recent.length - perHour]! + hour - now : 0,
      recent.length >= perMinute ? recent[recent.length - perMinute]! + minute - now : 0,
    )
    if (wait <= 0) recent.push(now)
    this.made.set(installation, recent)
    return Math.max(0, Math.ceil(wait))
  }

  /** GitHub asked to wait. */
  block(installation: number, ms: number): void {
    const until = this.clocks.steady() + ms
    this.blocked.set(installation, Math.max(until, this.blocked.get(installation) ?? 0))
  }

  /** How long nothing may be created, in milliseconds; 0 when it may. */
  left(installation: number): number {
    return Math.max(0, (this.blocked.get(installation) ?? 0) - this.clocks.steady())
  }
}
