/**
 * One actor: its mailbox, its life cycle, its place in the tree.
 *
 *   starting -> running <-> supervised -> stopping -> stopped      (stopping can begin anywhere)
 *
 * Invariants: handlers of one actor never overlap, also across restarts; mail stays in order and survives a crash;
 * once stopping begins no mail is taken and no handler starts; `stopped` is reached only after the handler, the turn,
 * the children and the resources are gone.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { SpawnRefused } from "./ActorError.ts"
import type { ActorInfo } from "./ActorInfo.ts"
import type { ActorRegistry, Entry } from "./ActorRegistry.ts"
import type { Behavior } from "./Behavior.ts"
import { Handler, Thrown } from "./Handler.ts"
import { Incarnation, type Host } from "./Incarnation.ts"
import type { Parent } from "./Parent.ts"
import { Passivation } from "./Passivation.ts"
import { Reachable } from "./Reachable.ts"
import { stop, stopped, type Ref } from "./Ref.ts"
import { Supervision, type Supervised } from "./Supervision.ts"
import type { Ticked, Ticker } from "./Ticker.ts"

type Phase = "starting" | "running" | "supervised" | "stopping" | "stopped"

/** At most this many messages, and about this many milliseconds, of one actor in one turn of the event loop. */
const batch = 128
const slice = 2

export class Actor<S, Msg, E>
  extends Reachable<Msg>
  implements Host<Msg>, Supervised<S, Msg, E>, Ticked, Entry
{
  readonly behavior: Behavior<S, Msg, E>
  readonly #parent: Parent
  readonly #base: Context.Context<never>
  readonly #handler: Handler<S, Msg, E>
  #phase: Phase = "starting"
  #life: Incarnation<Msg>
  #ticker: Ticker | undefined
  #supervision: Supervision<S, Msg, E> | undefined
  #supervisor: Fiber.Fiber<void> | undefined
  #passivation: Passivation | undefined

  constructor(
    registry: ActorRegistry,
    parent: Parent,
    path: string,
    behavior: Behavior<S, Msg, E>,
    base: Context.Context<never>,
  ) {
    super(registry, path, behavior.capacity)
    this.#parent = parent
    this.behavior = behavior
    this.#base = base
    this.#handler = new Handler(behavior)
    this.#life = new Incarnation(this, base)
  }

  get stopping(): boolean {
    return this.#phase === "stopping" || this.#phase === "stopped"
  }

  // Starting

  /** Runs `init`. Interrupting the wait stops the actor. */
  start(): Effect.Effect<Ref<Msg>, E | SpawnRefused> {
    const outcome = this.#handler.init(this.#life, (exit) => this.#opened(exit))
    if (Exit.isExit(outcome)) return this.#started(outcome)
    return Effect.flatMap(
      Effect.onInterrupt(Fiber.await(outcome), () => stop(this.self)),
      (exit) => this.#started(exit),
    )
  }

  #started(exit: Exit.Exit<unknown, E>): Effect.Effect<Ref<Msg>, E | SpawnRefused> {
    if (this.#ticker !== undefined) return Effect.succeed(this.self)
    const failed: Effect.Effect<never, E | SpawnRefused> =
      Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)
        ? Effect.fail(new SpawnRefused({ path: this.path, reason: "stopped-while-starting" }))
        : Effect.failCause(exit.cause)
    return Effect.andThen(stopped(this.self), failed)
  }

  #opened(exit: Exit.Exit<unknown, E>): void {
    if (this.#phase !== "starting") return
    if (Exit.isFailure(exit)) return this.stop()
    const { idleAfter } = this.behavior
    if (idleAfter !== undefined) {
      this.#passivation = new Passivation(Duration.toMillis(idleAfter), this.registry.timer, this)
    }
    this.#ticker = this.registry.ticker.ticker(this.path, this)
    this.#phase = "running"
    this.#go()
  }

  // Handling

  /** Lets mail wake the actor again, after its start or a supervised crash. */
  #go(): void {
    if (this.#phase !== "running") return
    if (this.mailbox.size > 0) return this.wake()
    this.ticking = false
    this.#quiet()
  }

  protected wake(): void {
    this.ticking = true
    this.#ticker?.wake()
  }

  tick(): void | Promise<void> {
    return this.#tick(0, 0)
  }

  /** `until` is set once a second message waits: a tick with one message reads no clock. */
  #tick(done: number, ends: number): void | Promise<void> {
    let handled = done
    let until = ends
    while (this.#phase === "running") {
      if (this.mailbox.size === 0) {
        this.ticking = false
        return this.#quiet()
      }
      if (handled > 0) {
        const now = performance.now()
        if (until === 0) until = now + slice
        else if (handled === batch || now > until) return this.#ticker?.wake()
      }
      handled++
      this.registry.handled++
      const suspended = this.#handler.handle(this.mailbox.take(), this.#life)
      if (suspended !== undefined) return suspended.then(() => this.#tick(handled, until))
    }
  }

  #quiet(): void {
    if (this.mailbox.state === "draining" && !this.#life.turnRunning) this.stop()
    else this.#passivation?.noteQuiet()
  }

  get quiet(): boolean {
    return this.#phase === "running" && !this.ticking && !this.#life.turnRunning && !this.#life.hasChildren
  }

  // Crashing

  /** Called by nact, which keeps the actor suspended until the promise resolves. Never rejects. */
  crashed(error: unknown): Promise<void> {
    if (this.#phase !== "running") return Promise.resolve()
    this.#phase = "supervised"
    const { cause, message } =
      error instanceof Thrown ? (error as Thrown<Msg>) : new Thrown<Msg>(Cause.die(error), undefined)
    this.#handler.crashInHand(cause)
    this.#supervision ??= new Supervision(this)
    const supervisor = Effect.runForkWith(this.#base)(
      this.#supervision.crashed(cause as Cause.Cause<E>, message),
    )
    this.#supervisor = supervisor
    return new Promise((resolve) => {
      supervisor.addObserver(() => {
        this.#supervisor = undefined
        if (this.#phase === "supervised") this.stop()
        this.#go()
        resolve()
      })
    })
  }

  endLife(cause: Cause.Cause<E>): Effect.Effect<void> {
    this.asks?.crashTaken(cause)
    return this.#close(Exit.failCause(cause))
  }

  beginLife(): Effect.Effect<Exit.Exit<unknown, E>> {
    this.#life = new Incarnation(this, this.#base)
    const outcome = this.#handler.init(this.#life, () => {})
    if (Exit.isExit(outcome)) return Effect.succeed(outcome)
    return Effect.onInterrupt(Fiber.await(outcome), () => Fiber.interrupt(outcome))
  }

  resume(): void {
    if (this.#phase === "supervised") this.#phase = "running"
  }

  escalate(cause: Cause.Cause<E>): void {
    this.#parent.fault(cause)
    this.stop()
  }

  // Stopping

  drain(): void {
    this.mailbox.drain()
    if (!this.ticking) this.#quiet()
  }

  stop(): void {
    if (this.stopping) return
    this.#phase = "stopping"
    this.refuseAll()
    this.#passivation?.cancel()
    this.#ticker?.stop()
    Effect.runForkWith(this.registry.context)(this.#shutdown(), { uninterruptible: true })
  }

  #shutdown(): Effect.Effect<void> {
    return this.#handler.interrupt().pipe(
      Effect.andThen(
        Effect.suspend(() =>
          this.#supervisor === undefined ? Effect.void : Fiber.interrupt(this.#supervisor),
        ),
      ),
      Effect.andThen(Effect.suspend(() => this.#close(Exit.void))),
      Effect.andThen(
        Effect.sync(() => {
          this.#phase = "stopped"
          this.registry.entries.delete(this.path)
          this.#parent.gone(this)
          this.announceStopped()
        }),
      ),
    )
  }

  /** A failing finalizer is reported and stops nothing: all others have run. */
  #close(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.catchCause(this.#life.close(exit), (cause) =>
      Effect.logError(`Actor "${this.path}" released its resources, but a finalizer failed.`, cause),
    )
  }

  // As a parent, and as seen by operators

  eased(): void {
    if (this.#phase === "running" && !this.ticking) this.#quiet()
  }

  info(): ActorInfo {
    return {
      path: this.path,
      state: this.#stateName(),
      turn: this.#life.turnRunning,
      mailbox: this.mailbox.size,
      capacity: this.mailbox.capacity,
      crashes: this.#supervision?.crashes ?? 0,
      restarts: this.#supervision?.restarts ?? 0,
      lastCrash: this.#supervision?.lastCrash,
    }
  }

  #stateName(): ActorInfo["state"] {
    switch (this.#phase) {
      case "stopped":
        return "stopping"
      case "running":
        if (this.mailbox.state === "draining") return "draining"
        return this.ticking ? "busy" : "idle"
      default:
        return this.#phase
    }
  }
}
