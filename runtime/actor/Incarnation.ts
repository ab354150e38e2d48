/**
 * One life of an actor, from `init` to restart or stop: the scope of its resources, its children, turn and timers.
 * Closing goes in this order: timers, turn, children (beside each other), then resources in reverse order of acquisition.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { SpawnRefused } from "./ActorError.ts"
import type { ActorRegistry } from "./ActorRegistry.ts"
import type { Behavior, Ctx } from "./Behavior.ts"
import { Fault, TimerFired, type TurnEnded } from "./Mail.ts"
import type { Child, Parent } from "./Parent.ts"
import { stopped, type Ref } from "./Ref.ts"
import type { Cancel } from "./Timer.ts"
import { TurnSlot } from "./Turn.ts"

/** The actor whose life this is. */
export interface Host<Msg> {
  readonly self: Ref<Msg>
  push(mail: TimerFired<Msg> | TurnEnded<Msg> | Fault): void
  readonly path: string
  readonly registry: ActorRegistry
  /** Something that kept the actor from being quiet ended outside of its handler. */
  eased(): void
  stop(): void
}

export class Incarnation<Msg> implements Ctx<Msg>, Parent {
  closed = false
  readonly #host: Host<Msg>
  readonly #base: Context.Context<never>
  #context: Context.Context<Scope.Scope> | undefined
  #scope: Scope.Closeable | undefined
  #turn: TurnSlot<Msg> | undefined
  #children: Set<Child> | undefined
  #timers: Set<Cancel> | undefined

  /** `base` is what the spawner provided; only the scope is replaced. */
  constructor(host: Host<Msg>, base: Context.Context<never>) {
    this.#host = host
    this.#base = base
  }

  /** Made for the first effect that needs a fiber: many actors never do. */
  get context(): Context.Context<Scope.Scope> {
    return (this.#context ??= Context.add(this.#base, Scope.Scope, (this.#scope = Scope.makeUnsafe())))
  }

  get self(): Ref<Msg> {
    return this.#host.self
  }

  get path(): string {
    return this.#host.path
  }

  get turnRunning(): boolean {
    return this.#turn !== undefined && this.#turn.outstanding
  }

  get hasChildren(): boolean {
    return this.#children !== undefined && this.#children.size > 0
  }

  spawn<S, M, E, R>(
    name: string,
    behavior: Behavior<S, M, E, R>,
  ): Effect.Effect<Ref<M>, E | SpawnRefused, Exclude<R, Scope.Scope>> {
    return this.#host.registry.spawn(this, name, behavior)
  }

  adopt(child: Child): void {
    ;(this.#children ??= new Set()).add(child)
  }

  gone(child: Child): void {
    this.#children?.delete(child)
    if (!this.closed) this.#host.eased()
  }

  fault(cause: Cause.Cause<unknown>): void {
    if (!this.closed) this.#host.push(new Fault(cause))
  }

  startTurn<A, E, R>(
    turn: Effect.Effect<A, E, R | Scope.Scope>,
    done: (exit: Exit.Exit<A, E>) => Msg,
  ): Effect.Effect<void, never, R> {
    return Effect.suspend(() => {
      if (this.closed) return Effect.void
      this.#turn ??= new TurnSlot((ended) => this.#host.push(ended))
      return this.#turn.start(turn, done)
    })
  }

  interruptTurn(): Effect.Effect<boolean> {
    return Effect.suspend(() =>
      this.#turn === undefined
        ? Effect.succeed(false)
        : Effect.tap(this.#turn.interrupt(), () => Effect.sync(() => this.#host.eased())),
    )
  }

  after(duration: Duration.Input, message: Msg): Effect.Effect<Effect.Effect<void>> {
    return this.#arm(duration, message, false)
  }

  every(duration: Duration.Input, message: Msg): Effect.Effect<Effect.Effect<void>> {
    return this.#arm(duration, message, true)
  }

  #arm(duration: Duration.Input, message: Msg, again: boolean): Effect.Effect<Effect.Effect<void>> {
    return Effect.sync(() => {
      if (this.closed) return Effect.void
      const timers = (this.#timers ??= new Set())
      const host = this.#host
      const milliseconds = Duration.toMillis(duration)
      const mail = new TimerFired(message, this)
      const arm = (): Cancel =>
        host.registry.timer.after(milliseconds, () => {
          if (!mail.queued) host.push(mail)
          mail.queued = true
          if (again) disarm = arm()
          else timers.delete(cancel)
        })
      let disarm = arm()
      const cancel = (): void => {
        mail.cancelled = true
        timers.delete(cancel)
        disarm()
      }
      timers.add(cancel)
      return Effect.sync(cancel)
    })
  }

  stopSelf(): Effect.Effect<never> {
    return Effect.suspend(() => {
      if (!this.closed) this.#host.stop()
      return Effect.never
    })
  }

  /** Releases everything. Fails with what the finalizers failed with; everything has run nevertheless. */
  close(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.closed = true
      for (const cancel of this.#timers ?? []) cancel()
      const children = [...(this.#children ?? [])]
      const turn = this.#turn?.close() ?? Effect.void
      const childrenStopped = Effect.suspend(() => {
        for (const child of children) child.stop()
        return Effect.forEach(children, (child) => stopped(child.self), { discard: true })
      })
      return turn.pipe(
        Effect.andThen(children.length === 0 ? Effect.void : childrenStopped),
        Effect.andThen(
          Effect.suspend(() => (this.#scope === undefined ? Effect.void : Scope.close(this.#scope, exit))),
        ),
        Effect.uninterruptible,
      )
    })
  }
}
