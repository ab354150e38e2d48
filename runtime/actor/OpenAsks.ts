/** The questions that an actor has not answered yet, so that its crash or stop answers them at once. */
import type * as Cause from "effect/Cause"
import type { OpenAsk } from "./Ask.ts"

export class OpenAsks {
  readonly #asks = new Set<OpenAsk>()

  add(ask: OpenAsk): void {
    this.#asks.add(ask)
  }

  settled(ask: OpenAsk): void {
    this.#asks.delete(ask)
  }

  /** A restart loses whatever the old incarnation kept to answer later; what is still queued stays open. */
  crashTaken(cause: Cause.Cause<unknown>): void {
    for (const ask of this.#asks) if (ask.taken) ask.crash(cause)
  }

  stop(): void {
    for (const ask of this.#asks) ask.stop()
  }
}
