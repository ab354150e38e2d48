/**
 * A reference to one incarnation-safe actor: it names the actor that was spawned, never a later one of the same path.
 * `Ref` is contravariant in its message, so a reference to an actor that takes more also serves one who sends less.
 */
import * as Effect from "effect/Effect"
import { ActorStopped } from "./ActorError.ts"
import type { OpenAsk } from "./Ask.ts"
import type { Deadlines } from "./Deadlines.ts"
import type { Priority, Refusal, Waiting } from "./Mailbox.ts"
import type { Timer } from "./Timer.ts"

export const target: unique symbol = Symbol("troupe/actor/Ref")

export interface Ref<in Msg> {
  /** Names from the root, joined by "/". */
  readonly path: string
  readonly [target]: Target<Msg>
}

/** What a reference reaches. Only this folder can call it. */
export interface Target<in Msg> {
  readonly path: string
  accept(message: Msg, priority: Priority): Refusal | undefined
  acceptAsk(message: Msg, ask: OpenAsk): Refusal | undefined
  readonly registry: { readonly timer: Timer; readonly deadlines: Deadlines }
  settled(ask: OpenAsk): void
  wait(waiting: Waiting<Msg>): void
  forget(waiting: Waiting<Msg>): void
  deadLetter(reason: Refusal): void
  stop(): void
  drain(): void
  onStopped(run: () => void): () => void
}

export class Address<in Msg> implements Ref<Msg> {
  readonly [target]: Target<Msg>
  constructor(to: Target<Msg>) {
    this[target] = to
  }
  get path(): string {
    return this[target].path
  }
  toJSON(): string {
    return this.path
  }
  toString(): string {
    return this.path
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `Ref(${this.path})`
  }
}

/** Sends. False when the actor has stopped or its mailbox is full; the message is then counted as a dead letter. */
export const tell = <Msg>(ref: Ref<Msg>, message: NoInfer<Msg>): boolean => send(ref, message, "ordinary")

/** Sends ahead of ordinary mail: steering and stop. Has its own room of the same size, so a full mailbox does not block it. */
export const tellControl = <Msg>(ref: Ref<Msg>, message: NoInfer<Msg>): boolean =>
  send(ref, message, "control")

const send = <Msg>(ref: Ref<Msg>, message: Msg, priority: Priority): boolean => {
  const to = ref[target]
  const refusal = to.accept(message, priority)
  if (refusal === undefined) return true
  to.deadLetter(refusal)
  return false
}

/** Sends, and waits for room while the mailbox is full. Interrupting the wait withdraws the message. */
export const offer = <Msg>(ref: Ref<Msg>, message: NoInfer<Msg>): Effect.Effect<void, ActorStopped> =>
  Effect.suspend(() => {
    const to = ref[target]
    const refusal = to.accept(message, "ordinary")
    if (refusal === undefined) return Effect.void
    if (refusal === "stopped") return Effect.fail(new ActorStopped({ path: ref.path }))
    return Effect.callback<void, ActorStopped>((resume) => {
      const waiting: Waiting<Msg> = {
        mail: message,
        admit: () => resume(Effect.void),
        refuse: () => resume(Effect.fail(new ActorStopped({ path: ref.path }))),
      }
      to.wait(waiting)
      return Effect.sync(() => to.forget(waiting))
    })
  })

/** Completes once the actor has stopped and everything it owned is released; at once if it already has. */
export const stopped = <Msg>(ref: Ref<Msg>): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const forget = ref[target].onStopped(() => resume(Effect.void))
    return Effect.sync(forget)
  })

/** Stops now: queued mail is dropped, the running handler and turn are interrupted, children and resources go. Awaited. */
export const stop = <Msg>(ref: Ref<Msg>): Effect.Effect<void> =>
  Effect.suspend(() => {
    ref[target].stop()
    return stopped(ref)
  })

/** Refuses new mail, handles what is queued, lets a running turn end and its result be handled, then stops. Awaited. */
export const drain = <Msg>(ref: Ref<Msg>): Effect.Effect<void> =>
  Effect.suspend(() => {
    ref[target].drain()
    return stopped(ref)
  })
