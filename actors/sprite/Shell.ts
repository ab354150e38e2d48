/**
 * The shells and files of all agents, for tools. Each agent has one computer; each (agent, thread) has one shell on it,
 * an actor that opens on first use. Two turns never write to one shell: jobs of a shell run in order.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import { Actor } from "../../runtime/index.ts"
import type { AgentId, ThreadId, WorkspaceId } from "../../runtime/index.ts"
import { Sandbox, SandboxError } from "../../integrations/sprites/index.ts"
import type { Machine } from "../../integrations/sprites/index.ts"
import { machineName } from "./MachineName.ts"
import type { CommandRequest, CommandResult, Place, SessionShell, ShellError } from "./SessionShell.ts"
import type { SessionStore } from "./SessionStore.ts"
import { job, shellActor } from "./ShellActor.ts"
import type { Job, ShellMessage } from "./ShellActor.ts"

export interface RunOptions extends CommandRequest {
  readonly agent: AgentId
  readonly thread: ThreadId
}

export interface ShellOptions {
  readonly workspace: WorkspaceId
  /** How long an unused shell stays open. Default: 30 minutes. */
  readonly idleAfter?: Duration.Input
}

export class Shell extends Context.Service<
  Shell,
  {
    /** Runs a command in the shell of (agent, thread). Interrupting it stops the command; the shell stays. */
    readonly run: (options: RunOptions) => Effect.Effect<CommandResult, SandboxError>
    /** The agent's computer, the shell's directory and home: what paths are relative to. Opens the shell if needed. */
    readonly place: (agent: AgentId, thread: ThreadId) => Effect.Effect<Place, SandboxError>
    /** The agent's computer, for its files. */
    readonly files: (agent: AgentId) => Effect.Effect<Machine, SandboxError>
    /** Stops the running command; false if none runs. */
    readonly interrupt: (agent: AgentId, thread: ThreadId) => Effect.Effect<boolean, SandboxError>
    /** Ends the shell after the jobs that wait for it; the next use opens a new one in the same directory. */
    readonly close: (agent: AgentId, thread: ThreadId) => Effect.Effect<void, SandboxError>
  }
>()("troupe/sprite/Shell") {
  static readonly layer = (
    options: ShellOptions,
  ): Layer.Layer<Shell, never, Sandbox | SessionStore | Actor.ActorSystem> =>
    Layer.effect(Shell, make(options))
}

const make = Effect.fnUntraced(function* (options: ShellOptions) {
  const sandbox = yield* Sandbox
  const system = yield* Actor.ActorSystem
  const services = yield* Effect.context<Sandbox | SessionStore>()
  const oneSpawn = yield* Semaphore.make(1)
  const actors = new Map<string, Actor.Ref<ShellMessage>>()

  const start = (agent: AgentId, thread: ThreadId, name: string) =>
    Effect.gen(function* () {
      const running = actors.get(name)
      if (running !== undefined) return running
      const machine = machineName(options.workspace, agent)
      const behavior = shellActor({ agent, thread, machine, idleAfter: options.idleAfter ?? "30 minutes" })
      const ref = yield* system.spawn(name, behavior).pipe(Effect.provideContext(services))
      actors.set(name, ref)
      return ref
    })

  /** Sends to the live actor; asks once more when the actor had stopped (idle) before it took the message. */
  const send = <A>(
    agent: AgentId,
    thread: ThreadId,
    ask: (ref: Actor.Ref<ShellMessage>) => Effect.Effect<A, ShellError | Actor.AskError>,
    mayRepeat: () => boolean,
  ): Effect.Effect<A, SandboxError> => {
    const name = `shell.${agent}.${thread}`
    const once = Effect.flatMap(oneSpawn.withPermit(start(agent, thread, name)), (ref) =>
      ask(ref).pipe(
        Effect.catchTag("ActorStopped", (stopped) =>
          Actor.stopped(ref).pipe(
            Effect.andThen(
              Effect.sync(() => {
                if (actors.get(name) === ref) actors.delete(name)
              }),
            ),
            Effect.andThen(Effect.fail(stopped)),
          ),
        ),
      ),
    )
    return once.pipe(
      Effect.catchTag("ActorStopped", (stopped) => (mayRepeat() ? once : Effect.fail(stopped))),
      Effect.mapError(toSandboxError),
    )
  }

  const use = <A>(
    agent: AgentId,
    thread: ThreadId,
    work: (shell: SessionShell) => Effect.Effect<A, ShellError>,
  ): Effect.Effect<A, SandboxError> =>
    Effect.suspend(() => {
      let given: Job | undefined
      const ask = (ref: Actor.Ref<ShellMessage>) =>
        Actor.ask(
          ref,
          (reply: Actor.Reply<A, ShellError>): ShellMessage => {
            given = job(work, reply)
            return { type: "do", job: given }
          },
          Infinity,
        ).pipe(
          Effect.onInterrupt(() =>
            Effect.sync(() => {
              if (given?.state === "waiting") given.state = "withdrawn"
              else if (given?.state === "begun") Actor.tellControl(ref, { type: "cancel", job: given })
            }),
          ),
        )
      return send(agent, thread, ask, () => given?.state !== "begun")
    })

  return Shell.of({
    run: ({ agent, thread, ...request }) => use(agent, thread, (shell) => shell.run(request)),
    place: (agent, thread) =>
      send(
        agent,
        thread,
        (ref) =>
          Actor.ask(
            ref,
            (reply: Actor.Reply<Place, ShellError>): ShellMessage => ({ type: "place", reply }),
            Infinity,
          ),
        () => true,
      ),
    files: (agent) => sandbox.open(machineName(options.workspace, agent)),
    interrupt: (agent, thread) =>
      actors.has(`shell.${agent}.${thread}`)
        ? send(
            agent,
            thread,
            (ref) =>
              Actor.ask(
                ref,
                (reply: Actor.Reply<boolean, ShellError>): ShellMessage => ({ type: "interrupt", reply }),
                "30 seconds",
              ),
            () => true,
          )
        : Effect.succeed(false),
    close: (agent, thread) => use(agent, thread, (shell) => shell.close),
  })
})

const toSandboxError = (error: ShellError | Actor.AskError | Actor.SpawnRefused): SandboxError =>
  error._tag === "SandboxError"
    ? error
    : new SandboxError({ kind: "unavailable", retry: "later", message: error.message, cause: error })
