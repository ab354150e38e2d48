/**
 * Stops an actor that was quiet for long enough. Activity only notes the time; one timer at most is armed, and when it
 * fires early it waits for the rest. Whether the actor is quiet is asked again at that moment.
 */
import type { Cancel, Timer } from "./Timer.ts"

export interface Passivated {
  readonly quiet: boolean
  stop(): void
}

export class Passivation {
  readonly #idleAfter: number
  readonly #timer: Timer
  readonly #actor: Passivated
  #quietSince = 0
  #cancel: Cancel | undefined

  constructor(idleAfter: number, timer: Timer, actor: Passivated) {
    this.#idleAfter = idleAfter
    this.#timer = timer
    this.#actor = actor
  }

  noteQuiet(): void {
    this.#quietSince = this.#timer.now()
    if (this.#cancel === undefined) this.#arm(this.#idleAfter)
  }

  cancel(): void {
    this.#cancel?.()
  }

  #arm(milliseconds: number): void {
    this.#cancel = this.#timer.after(milliseconds, () => {
      this.#cancel = undefined
      if (!this.#actor.quiet) return
      const rest = this.#quietSince + this.#idleAfter - this.#timer.now()
      if (rest <= 0) this.#actor.stop()
      else this.#arm(rest)
    })
  }
}
