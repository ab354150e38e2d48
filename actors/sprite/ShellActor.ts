/**
 * The actor of one shell, (agent, thread): jobs wait in order and run one at a time, each as the actor's turn, so the
 * mailbox stays open for `interrupt` and for questions while a command runs. After `idleAfter` without a job the shell is
 * closed and the actor stops; the next use starts both again. Stopping the actor itself only hangs up: the shell stays
 * for the next life of the runtime.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Actor, AgentId, ThreadId } from "../../runtime/index.ts"
import type { Sandbox } from "../../integrations/sprites/index.ts"
import { makeSessionShell } from "./SessionShell.ts"
import type { Place, SessionShell, ShellError } from "./SessionShell.ts"
import type { SessionStore } from "./SessionStore.ts"

/**
 * One use of the shell. Its state is shared with whoever asked: what still waits can be withdrawn there and then, and
 * what never began may be given to another actor.
 */
export interface Job {
  state: "waiting" | "begun" | "withdrawn"
  /** Runs the work and answers whoever asked. */
  readonly perform: (shell: SessionShell) => Effect.Effect<void>
}

export type ShellMessage =
  | { readonly type: "do"; readonly job: Job }
  /** Of the running job; one that waits is withdrawn by its state. */
  | { readonly type: "cancel"; readonly job: Job }
  | { readonly type: "place"; readonly reply: Actor.Reply<Place, ShellError> }
  | { readonly type: "interrupt"; readonly reply: Actor.Reply<boolean, ShellError> }
  | { readonly type: "done" }
  | { readonly type: "idle" }

export interface ShellState {
  readonly shell: SessionShell
  readonly running: Job | null
  readonly waiting: ReadonlyArray<Job>
  /** Withdraws the idle timer. */
  readonly stayAwake: Effect.Effect<void>
}

export const job = <A>(
  work: (shell: SessionShell) => Effect.Effect<A, ShellError>,
  reply: Actor.Reply<A, ShellError>,
): Job => ({
  state: "waiting",
  perform: (shell) =>
    work(shell).pipe(
      Effect.onExit((exit) => Effect.sync(() => reply(exit))),
      Effect.ignore,
    ),
})

export const shellActor = (options: {
  readonly agent: AgentId
  readonly thread: ThreadId
  readonly machine: string
  readonly idleAfter: Duration.Input
}): Actor.Behavior<ShellState, ShellMessage, never, Sandbox | SessionStore> => {
  type Ctx = Actor.Ctx<ShellMessage>

  const rest = (state: ShellState, ctx: Ctx) =>
    Effect.map(ctx.after(options.idleAfter, { type: "idle" }), (stayAwake): ShellState => ({
      ...state,
      running: null,
      stayAwake,
    }))

  const next = (state: ShellState, ctx: Ctx): Effect.Effect<ShellState> => {
    const [first, ...waiting] = state.waiting
    if (first === undefined) return rest(state, ctx)
    if (first.state === "withdrawn") return next({ ...state, waiting }, ctx)
    first.state = "begun"
    return state.stayAwake.pipe(
      Effect.andThen(ctx.startTurn(first.perform(state.shell), () => ({ type: "done" }))),
      Effect.as({ ...state, running: first, waiting, stayAwake: Effect.void }),
    )
  }

  const enqueue = (state: ShellState, added: Job, ctx: Ctx) => {
    const queued = { ...state, waiting: [...state.waiting, added] }
    return state.running === null ? next(queued, ctx) : Effect.succeed(queued)
  }

  return {
    init: (ctx) =>
      Effect.flatMap(makeSessionShell(options.agent, options.thread, options.machine), (shell) =>
        rest({ shell, running: null, waiting: [], stayAwake: Effect.void }, ctx),
      ),
    supervise: () => Effect.succeed("restart"),
    receive: (state, message, ctx) => {
      switch (message.type) {
        case "do":
          return enqueue(state, message.job, ctx)
        case "done":
          return next({ ...state, running: null }, ctx)
        case "cancel":
          if (state.running !== message.job) return Effect.succeed(state)
          return Effect.andThen(ctx.interruptTurn(), next({ ...state, running: null }, ctx))
        case "place": {
          const place = state.shell.here()
          if (place === null)
            return enqueue(
              state,
              job((shell) => shell.place, message.reply),
              ctx,
            )
          message.reply(Exit.succeed(place))
          return Effect.succeed(state)
        }
        case "interrupt":
          return state.shell.interrupt.pipe(
            Effect.onExit((exit) => Effect.sync(() => message.reply(exit))),
            Effect.ignore,
            Effect.as(state),
          )
        case "idle":
          if (state.running !== null || state.waiting.length > 0) return Effect.succeed(state)
          return Effect.andThen(state.shell.close.pipe(Effect.ignore({ log: "Warn" })), ctx.stopSelf())
      }
    },
  }
}
