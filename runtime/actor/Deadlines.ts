/**
 * The time limits of all open asks of a system with one timer instead of one per ask: it is armed for the earliest
 * limit it knew, and when it fires, what is still open and due expires. Most asks are answered long before.
 */
import type { Cancel, Timer } from "./Timer.ts"

export interface Expiring {
  /** Monotonic milliseconds. */
  readonly deadline: number
  expire(): void
}

export class Deadlines {
  readonly #timer: Timer
  readonly #open = new Set<Expiring>()
  #armedFor = Infinity
  #cancel: Cancel | undefined

  constructor(timer: Timer) {
    this.#timer = timer
  }

  add(expiring: Expiring): void {
    this.#open.add(expiring)
    if (expiring.deadline < this.#armedFor) this.#arm(expiring.deadline)
  }

  remove(expiring: Expiring): void {
    this.#open.delete(expiring)
  }

  /** Everything that is open is over, and so is the timer. */
  close(): void {
    this.#cancel?.()
  }

  #arm(deadline: number): void {
    this.#cancel?.()
    this.#armedFor = deadline
    this.#cancel = this.#timer.after(Math.max(0, deadline - this.#timer.now()), () => this.#fire())
  }

  #fire(): void {
    const now = this.#timer.now()
    this.#cancel = undefined
    this.#armedFor = Infinity
    let next = Infinity
    for (const expiring of Array.from(this.#open)) {
      if (expiring.deadline <= now) expiring.expire()
      else next = Math.min(next, expiring.deadline)
    }
    if (next < this.#armedFor) this.#arm(next)
  }
}
