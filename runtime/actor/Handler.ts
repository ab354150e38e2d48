/**
 * Runs a behaviour's `init` and `receive`, one at a time, and keeps the state between them. Three speeds: an effect that is
 * already an exit runs no fiber; a fiber that ends at once costs no promise; only one that suspends holds the actor.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { OpenAsk } from "./Ask.ts"
import type { Behavior } from "./Behavior.ts"
import type { Incarnation } from "./Incarnation.ts"
import { Asked, isEnvelope, TimerFired, TurnEnded, type Mail } from "./Mail.ts"

/** A crash on its way through nact, which suspends the actor because of it. */
export class Thrown<Msg> {
  readonly cause: Cause.Cause<unknown>
  readonly message: Msg | undefined
  constructor(cause: Cause.Cause<unknown>, message: Msg | undefined) {
    this.cause = cause
    this.message = message
  }
}

export class Handler<S, Msg, E> {
  readonly #behavior: Behavior<S, Msg, E>
  #state: S | undefined
  #suspended: Fiber.Fiber<S, E> | undefined
  #onStack = false
  #inHand: OpenAsk | undefined

  constructor(behavior: Behavior<S, Msg, E>) {
    this.#behavior = behavior
  }

  get suspended(): boolean {
    return this.#suspended !== undefined
  }

  /** The exit of `init`, or its fiber. Calls `opened` in the same step in which it ends. */
  init(life: Incarnation<Msg>, opened: (exit: Exit.Exit<S, E>) => void): Exit.Exit<S, E> | Fiber.Fiber<S, E> {
    const outcome = this.#evaluate(life, true, undefined)
    if (Exit.isExit(outcome)) {
      this.#initialized(outcome, opened)
    } else {
      this.#suspended = outcome
      outcome.addObserver((exit) => this.#initialized(exit, opened))
    }
    return outcome
  }

  #initialized(exit: Exit.Exit<S, E>, opened: (exit: Exit.Exit<S, E>) => void): void {
    this.#suspended = undefined
    if (Exit.isSuccess(exit)) this.#state = exit.value
    opened(exit)
  }

  /** Undefined when done. Throws, or rejects with, `Thrown` when it is a crash. */
  handle(mail: Mail<Msg>, life: Incarnation<Msg>): Promise<void> | undefined {
    if (!isEnvelope(mail)) return this.#receive(mail, life)
    if (mail instanceof Asked) {
      mail.ask.taken = true
      this.#inHand = mail.ask
      return this.#receive(mail.message, life)
    }
    if (mail instanceof TimerFired) {
      mail.queued = false
      return mail.cancelled || mail.life.closed ? undefined : this.#receive(mail.message, life)
    }
    if (mail instanceof TurnEnded) {
      if (!mail.slot.deliver(mail.epoch)) return undefined
      return this.#receive(mail.message(), life)
    }
    throw new Thrown(mail.cause, undefined)
  }

  #receive(message: Msg, life: Incarnation<Msg>): Promise<void> | undefined {
    const outcome = this.#evaluate(life, false, message)
    if (Exit.isExit(outcome)) {
      this.#settle(outcome, message)
      return undefined
    }
    this.#suspended = outcome
    return new Promise((resolve, reject) => {
      outcome.addObserver((exit) => {
        this.#suspended = undefined
        try {
          resolve(this.#settle(exit, message))
        } catch (thrown) {
          reject(thrown)
        }
      })
    })
  }

  #evaluate(
    life: Incarnation<Msg>,
    initial: boolean,
    message: Msg | undefined,
  ): Exit.Exit<S, E> | Fiber.Fiber<S, E> {
    this.#onStack = true
    try {
      const effect: Effect.Effect<S, E, Scope.Scope> = initial
        ? this.#behavior.init(life)
        : this.#behavior.receive(this.#state as S, message as Msg, life)
      if (Exit.isExit(effect)) return effect as Exit.Exit<S, E>
      const fiber = Effect.runForkWith(life.context)(effect)
      return fiber.pollUnsafe() ?? fiber
    } catch (defect) {
      return Exit.die(defect)
    } finally {
      this.#onStack = false
    }
  }

  #settle(exit: Exit.Exit<S, E>, message: Msg): void {
    if (exit._tag === "Failure") throw new Thrown(exit.cause, message)
    this.#state = exit.value
    this.#inHand = undefined
  }

  /** Fails the question whose handling crashed. */
  crashInHand(cause: Cause.Cause<unknown>): void {
    this.#inHand?.crash(cause)
    this.#inHand = undefined
  }

  /** Interrupts what runs and waits for it. What is on the stack right now has first to leave it. */
  interrupt(): Effect.Effect<void> {
    const suspended = Effect.suspend(() =>
      this.#suspended === undefined ? Effect.void : Fiber.interrupt(this.#suspended),
    )
    return Effect.suspend(() => (this.#onStack ? Effect.andThen(Effect.yieldNow, suspended) : suspended))
  }
}
