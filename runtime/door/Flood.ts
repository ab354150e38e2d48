/**
 * What a platform lets one account do, learned from its refusals: until it asks to slow down, there is no limit here, and nothing on
 * the way costs more than a comparison.
 *
 * When the whole account is refused, what went through in the last second is its budget from then on; a later refusal takes at most
 * three tenths of it, and it grows by a tenth every ten seconds without one. Within a budget the last words of a message go first: placeholders leave a fifth of it untouched, progress
 * a half. A channel that was refused shows progress half as often, each time, and returns to its pace as slowly.
 */

/** `final` is also a question with buttons. */
export type CallKind = "final" | "create" | "progress"

const growsEvery = 10_000
/** Of a budget, what a call leaves for those before it. */
const leaves: Readonly<Record<CallKind, number>> = { final: 0, create: 0.2, progress: 0.5 }
const slowest = 16
const maxChannels = 1_000

export class Flood {
  /** Until when the whole account has to wait. */
  private until = 0
  /** Calls a second; infinite until it is learned. */
  private budget = Number.POSITIVE_INFINITY
  private learned = 0
  /** The first lesson is still going on. */
  private first = false
  private left = 0
  private at = 0
  private grownAt = 0
  /** Calls of the last second that were not refused, by tenths of it. */
  private readonly tenths = Array.from({ length: 10 }, () => ({ n: 0, calls: 0 }))
  private readonly slow = new Map<string, { factor: number; at: number }>()

  /** Takes one call; 0 when it may go now, else how many milliseconds to wait before asking again. */
  take(kind: CallKind, now: number): number {
    if (now < this.until) return this.until - now
    if (this.budget !== Number.POSITIVE_INFINITY) {
      this.grow(now)
      this.left = Math.min(this.budget, this.left + ((now - this.at) * this.budget) / 1_000)
      this.at = now
      const needs = Math.min(this.budget, 1 + leaves[kind] * this.budget)
      if (this.left < needs) return Math.max(5, Math.ceil(((needs - this.left) * 1_000) / this.budget))
      this.left -= 1
    }
    this.count(now, 1)
    return 0
  }

  /** The platform asked to slow down. */
  refused(channel: string, everywhere: boolean, afterMs: number, now: number): void {
    const factor = Math.min(slowest, this.factor(channel, now) * 2)
    this.slow.delete(channel)
    if (this.slow.size >= maxChannels) this.slow.delete(this.slow.keys().next().value ?? "")
    this.slow.set(channel, { factor, at: now })
    this.count(now, -1)
    if (!everywhere) return
    // Refusals of calls that were under way together are one lesson.
    const again = now >= this.until
    this.until = Math.max(this.until, now + afterMs)
    const tenth = Math.floor(now / 100)
    const went = Math.max(
      1,
      this.tenths.reduce((sum, { n, calls }) => sum + (n > tenth - 10 ? calls : 0), 0),
    )
    if (this.budget === Number.POSITIVE_INFINITY) this.first = true
    else if (again) this.first = false
    if (this.first) this.budget = Math.min(this.budget, went)
    else if (again) this.budget = Math.max(1, Math.min(this.budget, Math.max(went, this.budget * 0.7)))
    this.learned = this.budget
    this.left = 0
    this.at = this.until
    this.grownAt = this.until
  }

  /** An account that must wait for another reason, without having been too fast. */
  pause(afterMs: number, now: number): void {
    this.until = Math.max(this.until, now + afterMs)
  }

  /** How many times as long as usual `channel` waits between two pieces of progress. */
  factor(channel: string, now: number): number {
    const known = this.slow.get(channel)
    if (known === undefined) return 1
    const factor = known.factor / 2 ** Math.floor((now - known.at) / (growsEvery * 6))
    if (factor <= 1) this.slow.delete(channel)
    return Math.max(1, factor)
  }

  private count(now: number, calls: number): void {
    const n = Math.floor(now / 100)
    const slot = this.tenths[n % 10]!
    if (slot.n !== n) slot.calls = 0
    slot.n = n
    slot.calls += calls
  }

  private grow(now: number): void {
    const times = Math.floor((now - this.grownAt) / growsEvery)
    if (times <= 0) return
    this.grownAt += times * growsEvery
    this.budget *= 1.1 ** times
    // So much more was never refused since: the limit is not there any more.
    if (this.budget > this.learned * 20) this.budget = Number.POSITIVE_INFINITY
  }
}
