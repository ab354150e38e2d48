/**
 * What lies in a mailbox. Ordinary messages lie there as they are; everything that the runtime must recognise is an
 * `Envelope`. The runtime's own mail (turn results, timers, escalated faults) is never refused for lack of room:
 * there is at most one of each per turn, timer or child.
 */
import type * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import type { OpenAsk } from "./Ask.ts"
import type { TurnSlot } from "./Turn.ts"

export type Mail<Msg> = Msg | Envelope<Msg>

export type Envelope<Msg> = Asked<Msg> | TurnEnded<Msg> | TimerFired<Msg> | Fault

abstract class Marked {
  /** Somebody sent it, so it counts as a dead letter when it is dropped. */
  abstract get sent(): boolean
}

export const isEnvelope = <Msg>(mail: Mail<Msg>): mail is Envelope<Msg> => mail instanceof Marked

/** A question: its message, and the open ask that fails when the actor crashes or stops. */
export class Asked<Msg> extends Marked {
  readonly message: Msg
  readonly ask: OpenAsk
  get sent(): boolean {
    return true
  }
  constructor(message: Msg, ask: OpenAsk) {
    super()
    this.message = message
    this.ask = ask
  }
}

/** A turn's end. Seen only while its epoch is the slot's: an interrupted turn's result is dropped here. */
export class TurnEnded<Msg> extends Marked {
  readonly slot: TurnSlot<Msg>
  readonly epoch: number
  readonly message: () => Msg
  get sent(): boolean {
    return false
  }
  constructor(slot: TurnSlot<Msg>, epoch: number, message: () => Msg) {
    super()
    this.slot = slot
    this.epoch = epoch
    this.message = message
  }
}

/** A timer's message. Not seen once the timer is cancelled or its incarnation ended, even when it is already queued. */
export class TimerFired<Msg> extends Marked {
  readonly message: Msg
  readonly life: { readonly closed: boolean }
  queued = false
  cancelled = false
  get sent(): boolean {
    return false
  }
  constructor(message: Msg, life: { readonly closed: boolean }) {
    super()
    this.message = message
    this.life = life
  }
}

/** A child's escalated crash: handled as the parent's own. */
export class Fault extends Marked {
  readonly cause: Cause.Cause<unknown>
  get sent(): boolean {
    return false
  }
  constructor(cause: Cause.Cause<unknown>) {
    super()
    this.cause = cause
  }
}

/** Answers a question. Travels in the message; may be kept and called later, the first call counts. */
export type Reply<in A, in E = never> = (exit: Exit.Exit<A, E>) => void
