/**
 * A question with one answer. It fails at once when the actor stops (`ActorStopped`), crashes on it or is restarted
 * after having taken it (`ActorCrashed`), or has no room (`MailboxFull`); by time only when the actor is just slow.
 */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { ActorCrashed, ActorStopped, AskTimeout, MailboxFull } from "./ActorError.ts"
import type { Reply } from "./Mail.ts"
import { type Ref, target, type Target } from "./Ref.ts"
import type { Expiring } from "./Deadlines.ts"

export type AskError = AskTimeout | ActorStopped | ActorCrashed | MailboxFull

/** The actor's side of an ask: what its life cycle does to it. */
export interface OpenAsk {
  taken: boolean
  crash(cause: Cause.Cause<unknown>): void
  stop(): void
}

/**
 * Asks and waits for the reply. `timeout` is in milliseconds or a duration; `Infinity` means no limit. An ask that is
 * interrupted or late does not take its message back: the actor still handles it, and its reply goes nowhere.
 * Annotate the reply: `ask(ref, (reply: Reply<number>) => ({ type: "count", reply }), 1000)`.
 */
export const ask = <Msg, const M extends Msg, A, E = never>(
  ref: Ref<Msg>,
  make: (reply: Reply<A, E>) => M,
  timeout: Duration.Input,
): Effect.Effect<A, E | AskError> =>
  Effect.callback<A, E | AskError>((resume) => {
    const asking = new Asking<Msg, A, E>(ref[target], resume)
    asking.send(make(asking.reply), typeof timeout === "number" ? timeout : Duration.toMillis(timeout))
    return Effect.sync(() => asking.withdraw())
  })

class Asking<Msg, A, E> implements OpenAsk, Expiring {
  taken = false
  deadline = Infinity
  #settled = false
  #milliseconds = Infinity
  readonly #target: Target<Msg>
  readonly #resume: (effect: Effect.Effect<A, E | AskError>) => void

  constructor(to: Target<Msg>, resume: (effect: Effect.Effect<A, E | AskError>) => void) {
    this.#target = to
    this.#resume = resume
  }

  readonly reply: Reply<A, E> = (exit) => this.#settle(exit)

  send(message: Msg, milliseconds: number): void {
    const to = this.#target
    const refusal = to.acceptAsk(message, this)
    if (refusal !== undefined) {
      to.deadLetter(refusal)
      return this.#settle(
        Effect.fail(
          refusal === "full" ? new MailboxFull({ path: to.path }) : new ActorStopped({ path: to.path }),
        ),
      )
    }
    if (milliseconds === Infinity) return
    this.#milliseconds = milliseconds
    this.deadline = to.registry.timer.now() + milliseconds
    to.registry.deadlines.add(this)
  }

  expire(): void {
    this.#settle(Effect.fail(new AskTimeout({ path: this.#target.path, milliseconds: this.#milliseconds })))
  }

  crash(cause: Cause.Cause<unknown>): void {
    this.#settle(Effect.fail(new ActorCrashed({ path: this.#target.path, cause })))
  }

  stop(): void {
    this.#settle(Effect.fail(new ActorStopped({ path: this.#target.path })))
  }

  withdraw(): void {
    this.#release()
  }

  #settle(effect: Effect.Effect<A, E | AskError> | Exit.Exit<A, E>): void {
    if (this.#release()) this.#resume(effect)
  }

  #release(): boolean {
    if (this.#settled) return false
    this.#settled = true
    if (this.deadline !== Infinity) this.#target.registry.deadlines.remove(this)
    this.#target.settled(this)
    return true
  }
}
