/**
 * An actor's mailbox: two lanes with the same exact bound, and a line of senders who wait for room.
 *
 * - Control mail is taken before ordinary mail; each lane is first in, first out.
 * - `post` refuses with "full" at the bound; `offer` waits and is admitted in order, one for each message taken.
 *   While someone waits the lane is full, so nobody overtakes them.
 * - `push` is for the runtime's own mail and ignores the bound.
 * - Open -> draining (new mail refused, queued mail still handled) -> closed (queued mail dropped and returned).
 */
import { Lane } from "./Lane.ts"

export type Priority = "ordinary" | "control"
export type Refusal = "stopped" | "full"

/** A sender in line. `admit` runs when its message is in the mailbox, `refuse` when it never will be. */
export interface Waiting<M> {
  readonly mail: M
  readonly admit: () => void
  readonly refuse: () => void
}

export class Mailbox<M> {
  readonly capacity: number
  state: "open" | "draining" | "closed" = "open"
  readonly #ordinary = new Lane<M>()
  #control: Lane<M> | undefined
  #waiting: Lane<Waiting<M>> | undefined

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get size(): number {
    return this.#ordinary.size + (this.#control === undefined ? 0 : this.#control.size)
  }

  post(mail: M, priority: Priority): Refusal | undefined {
    if (this.state !== "open") return "stopped"
    const lane = priority === "control" ? (this.#control ??= new Lane()) : this.#ordinary
    if (lane.size >= this.capacity) return "full"
    lane.push(mail)
    return undefined
  }

  push(mail: M, priority: Priority): boolean {
    if (this.state === "closed") return false
    if (priority === "control") (this.#control ??= new Lane()).push(mail)
    else this.#ordinary.push(mail)
    return true
  }

  /** Call only after `post` answered "full". */
  wait(waiting: Waiting<M>): void {
    ;(this.#waiting ??= new Lane()).push(waiting)
  }

  forget(waiting: Waiting<M>): void {
    this.#waiting?.remove(waiting)
  }

  /** Call only while `size > 0`. */
  take(): M {
    if (this.#control !== undefined && this.#control.size > 0) return this.#control.take()
    const mail = this.#ordinary.take()
    if (this.#waiting !== undefined && this.#waiting.size > 0 && this.#ordinary.size < this.capacity) {
      const next = this.#waiting.take()
      this.#ordinary.push(next.mail)
      next.admit()
    }
    return mail
  }

  drain(): void {
    if (this.state !== "open") return
    this.state = "draining"
    this.#refuseWaiting()
  }

  /** Drops what is queued and returns it. */
  close(): ReadonlyArray<M> {
    const dropped: Array<M> = []
    this.state = "closed"
    this.#refuseWaiting()
    while (this.size > 0) dropped.push(this.take())
    return dropped
  }

  #refuseWaiting(): void {
    while (this.#waiting !== undefined && this.#waiting.size > 0) this.#waiting.take().refuse()
  }
}
