/** Mail that was not handled: how much since the start, and the latest. The messages themselves are not kept. */
export interface DeadLetter {
  readonly path: string
  /** stopped: the actor had stopped or was draining. full: no room. dropped: still queued when the actor stopped. */
  readonly reason: "stopped" | "full" | "dropped"
  readonly at: number
}

export class DeadLetters {
  total = 0
  readonly latest: Array<DeadLetter> = []

  add(letter: DeadLetter): void {
    this.total++
    this.latest.push(letter)
    if (this.latest.length > kept) this.latest.shift()
  }
}

const kept = 100
