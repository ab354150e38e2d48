/**
 * The one long-running effect of an actor. Its exit returns as a message, stamped with the epoch in which it began.
 * Starting or interrupting raises the epoch, so the result of an interrupted turn is never seen, even if it is queued.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { TurnEnded } from "./Mail.ts"

export class TurnSlot<Msg> {
  #epoch = 0
  #fiber: Fiber.Fiber<unknown, unknown> | undefined
  #outstanding = false
  #closed = false
  readonly #post: (ended: TurnEnded<Msg>) => void

  constructor(post: (ended: TurnEnded<Msg>) => void) {
    this.#post = post
  }

  get outstanding(): boolean {
    return this.#outstanding
  }

  start<A, E, R>(
    turn: Effect.Effect<A, E, R | Scope.Scope>,
    done: (exit: Exit.Exit<A, E>) => Msg,
  ): Effect.Effect<void, never, R> {
    return Effect.andThen(
      this.interrupt(),
      Effect.contextWith((context: Context.Context<R>) => {
        if (this.#closed) return Effect.void
        const epoch = ++this.#epoch
        this.#outstanding = true
        // Begins at once: a fiber that starts later could be interrupted before its finalizers are in place.
        const fiber = Effect.runForkWith(context)(Effect.scoped(turn))
        this.#fiber = fiber
        fiber.addObserver((exit) => {
          if (this.#fiber === fiber) this.#fiber = undefined
          if (epoch === this.#epoch)
            this.#post(new TurnEnded(this, epoch, () => done(exit as Exit.Exit<A, E>)))
        })
        return Effect.void
      }),
    )
  }

  /** Also waits for the finalizers of a turn that an earlier, abandoned call interrupted. */
  interrupt(): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const outstanding = this.#outstanding
      this.#outstanding = false
      this.#epoch++
      const fiber = this.#fiber
      return fiber === undefined
        ? Effect.succeed(outstanding)
        : Effect.as(Fiber.interrupt(fiber), outstanding)
    })
  }

  /** Interrupts, waits, and starts no other turn. */
  close(): Effect.Effect<unknown> {
    this.#closed = true
    return this.interrupt()
  }

  /** True once for the current turn's result, false for a stale one. */
  deliver(epoch: number): boolean {
    if (epoch !== this.#epoch || !this.#outstanding) return false
    this.#outstanding = false
    return true
  }
}
