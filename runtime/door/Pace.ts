/** How much one speaker may say: `burst` at once, and one more every `everyMs`. Counted in this process. */
export class Pace {
  private readonly left = new Map<string, { count: number; at: number }>()
  private readonly burst: number
  private readonly everyMs: number

  constructor(burst: number, everyMs: number) {
    this.burst = burst
    this.everyMs = everyMs
  }

  /** Takes one; 0 when there was one, else how many milliseconds there is none yet. */
  take(speaker: string, now: number): number {
    const known = this.left.get(speaker) ?? { count: this.burst, at: now }
    const count = Math.min(this.burst, known.count + (now - known.at) / this.everyMs)
    if (count < 1) return Math.ceil((1 - count) * this.everyMs)
    this.left.set(speaker, { count: count - 1, at: now })
    return 0
  }
}
