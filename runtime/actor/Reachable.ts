/**
 * The side of an actor that its references reach: mail, questions, death watch. What wakes and stops it is in `Actor`.
 */
import { Asked, Fault, isEnvelope, type Mail, type TimerFired, type TurnEnded } from "./Mail.ts"
import type { ActorRegistry } from "./ActorRegistry.ts"
import type { OpenAsk } from "./Ask.ts"
import type { DeadLetter } from "./DeadLetters.ts"
import { Mailbox, type Priority, type Refusal, type Waiting } from "./Mailbox.ts"
import { OpenAsks } from "./OpenAsks.ts"
import { Address, type Ref, type Target } from "./Ref.ts"

const defaultCapacity = 10_000

export abstract class Reachable<Msg> implements Target<Msg> {
  readonly path: string
  readonly self: Ref<Msg>
  readonly registry: ActorRegistry
  protected readonly mailbox: Mailbox<Mail<Msg>>
  protected asks: OpenAsks | undefined
  /** A tick is pending or runs. Also true while nothing may be handled, so that new mail wakes nobody. */
  protected ticking = true
  #watchers: Set<() => void> | undefined
  #gone = false

  constructor(registry: ActorRegistry, path: string, capacity: number = defaultCapacity) {
    this.path = path
    this.self = new Address(this)
    this.registry = registry
    this.mailbox = new Mailbox(capacity)
  }

  abstract stop(): void
  abstract drain(): void
  protected abstract wake(): void

  accept(message: Msg, priority: Priority): Refusal | undefined {
    const refusal = this.mailbox.post(message, priority)
    if (refusal === undefined && !this.ticking) this.wake()
    return refusal
  }

  acceptAsk(message: Msg, ask: OpenAsk): Refusal | undefined {
    const refusal = this.mailbox.post(new Asked(message, ask), "ordinary")
    if (refusal !== undefined) return refusal
    ;(this.asks ??= new OpenAsks()).add(ask)
    if (!this.ticking) this.wake()
    return undefined
  }

  settled(ask: OpenAsk): void {
    this.asks?.settled(ask)
  }

  wait(waiting: Waiting<Msg>): void {
    this.mailbox.wait(waiting)
  }

  forget(waiting: Waiting<Msg>): void {
    this.mailbox.forget(waiting)
  }

  /** The runtime's own mail. */
  push(mail: TimerFired<Msg> | TurnEnded<Msg> | Fault): void {
    if (this.mailbox.push(mail, mail instanceof Fault ? "control" : "ordinary") && !this.ticking) this.wake()
  }

  deadLetter(reason: DeadLetter["reason"]): void {
    this.registry.deadLetters.add({ path: this.path, reason, at: this.registry.timer.unixMillis() })
  }

  onStopped(run: () => void): () => void {
    if (this.#gone) {
      run()
      return () => {}
    }
    const watchers = (this.#watchers ??= new Set())
    watchers.add(run)
    return () => watchers.delete(run)
  }

  /** Drops what waits and fails what is open: nothing reaches the actor from here on. */
  protected refuseAll(): void {
    for (const mail of this.mailbox.close()) {
      if (!isEnvelope(mail) || mail.sent) this.deadLetter("dropped")
    }
    this.asks?.stop()
  }

  protected announceStopped(): void {
    this.#gone = true
    for (const run of Array.from(this.#watchers ?? [])) run()
  }
}
