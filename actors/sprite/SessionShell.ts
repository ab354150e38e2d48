/**
 * The persistent shell of one agent in one thread, as plain Effects: `cd`, `export` and functions stay from command to
 * command, from turn to turn, and over a restart of the runtime, which attaches to the same process again.
 *
 * - One command at a time (a semaphore); a command is typed once and never repeated by us (P6).
 * - A command is recorded before it is typed. One that is found unfinished later (crash, interruption) is stopped before
 *   the next is typed, and the agent is told: its outcome is unknown.
 * - A broken connection is made again while the command runs. When the shell or the machine is gone, the agent is told
 *   in a note, and the next command opens a new shell in the last directory.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { AgentId, ThreadId } from "../../runtime/index.ts"
import { Sandbox, SandboxError } from "../../integrations/sprites/index.ts"
import type { Machine } from "../../integrations/sprites/index.ts"
import { SessionStore } from "./SessionStore.ts"
import type { SessionRow, SessionStoreError } from "./SessionStore.ts"
import { newMark, ShellCommand } from "./ShellCommand.ts"
import { connectShell } from "./ShellConnection.ts"
import type { ShellConnection } from "./ShellConnection.ts"
import { execute } from "./Execute.ts"
import { leftoverNote, resultNotes } from "./ShellNotes.ts"
import type { Outcome } from "./ShellNotes.ts"
import { noShell, openShell } from "./OpenShell.ts"
import { commandScript } from "./ShellScript.ts"
import { shownOutput } from "./VisibleText.ts"

export interface CommandRequest {
  readonly command: string
  readonly timeoutMs: number
  /** Names the file that takes what does not fit into the result. */
  readonly callId: string
  /** **Contract:** called with output as it comes; must not throw. */
  readonly onOutput?: (text: string) => void
}

export interface CommandResult {
  /** stdout and stderr in order, as readable text of at most `OUTPUT_CAP` characters: beginning and end. */
  readonly output: string
  /** Null when the outcome is unknown. */
  readonly exitCode: number | null
  readonly timedOut: boolean
  readonly ms: number
  /** Where the shell is now. */
  readonly cwd: string
  /** What the agent has to know besides: the shell was replaced, an earlier command was stopped ... */
  readonly notes: ReadonlyArray<string>
  /** A file in the sandbox with more of the output, when `output` does not hold all. */
  readonly fullOutputPath: string | null
}

export interface Place {
  readonly machine: Machine
  readonly home: string
  readonly cwd: string
}

export type ShellError = SandboxError | SessionStoreError

export interface SessionShell {
  readonly run: (request: CommandRequest) => Effect.Effect<CommandResult, ShellError>
  /** Stops the running command; true if there was one. The shell stays. */
  readonly interrupt: Effect.Effect<boolean, SandboxError>
  /** Where relative paths begin. Opens the shell if there is none. */
  readonly place: Effect.Effect<Place, ShellError>
  /** The same at once, also while a command runs; null when there is no open shell. */
  readonly here: () => Place | null
  /** Ends the shell; the next one opens in the same directory, with the exported variables and functions. */
  readonly close: Effect.Effect<void, ShellError>
}

export const OUTPUT_CAP = 16_000

/** A free shell begins at once; one that does not is busy with something we do not know. */
const BEGINS_WITHIN = "3 seconds"
/** The guard needs at most 2 s to end a command or the shell. */
const STOPS_WITHIN = "5 seconds"
const OVERDUE_MS = 5_000
const MOST_ATTEMPTS = 2
/** Whether a command that was left behind has ended is in the replay, which comes at once. */
const REPLAY_WITHIN = "1 second"
const outage = Schedule.exponential("100 millis").pipe(Schedule.upTo({ times: 4 }))
const reconnecting = Schedule.exponential("200 millis", 1.5).pipe(Schedule.upTo({ duration: "30 seconds" }))

type Leftover = { readonly command: ShellCommand; readonly of: "crash" | "interruption" }

export const makeSessionShell = Effect.fnUntraced(function* (
  agent: AgentId,
  thread: ThreadId,
  machineName: string,
): Effect.fn.Return<SessionShell, never, Sandbox | SessionStore | Scope.Scope> {
  const sandbox = yield* Sandbox
  const store = yield* SessionStore
  const owner = yield* Effect.scope
  const oneAtATime = yield* Semaphore.make(1)

  let live: { connection: ShellConnection; readonly home: string } | null = null
  let cwd: string | null = null
  let active: ShellCommand | null = null
  let leftover: Leftover | null = null
  /** Notes for the next result. */
  let notes: Array<string> = []

  const save = (state: string, session = live?.connection.session.id ?? "") =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      store.save({
        agent,
        thread,
        machine: machineName,
        session,
        cwd: cwd ?? "",
        state,
        lastUsedAt: new Date(now).toISOString(),
      }),
    )

  const inOwner = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) => Scope.provide(effect, owner)

  const stopFile = (command: ShellCommand) => `${live?.home}/.troupe/run/${command.tag}.stop`

  const stop = (command: ShellCommand) =>
    live === null ? Effect.void : live.connection.machine.writeFile(stopFile(command), new Uint8Array())

  /** Forgets the shell on our side; `kill` also ends the process. */
  const drop = (kill: boolean) =>
    Effect.suspend(() => {
      const dropped = live
      live = null
      leftover = null
      if (dropped === null) return Effect.void
      return Effect.andThen(
        kill ? dropped.connection.session.kill("KILL").pipe(Effect.ignore) : Effect.void,
        dropped.connection.close,
      )
    })

  const attach = (machine: Machine, session: string, expected: ReadonlyArray<ShellCommand>) =>
    inOwner(connectShell(machine, expected, (onOutput) => machine.attach(session, onOutput)))

  /** A short outage is waited out. */
  const reach = sandbox
    .open(machineName)
    .pipe(Effect.retry({ while: ({ kind }) => kind === "unavailable", schedule: outage }))

  const open = Effect.fnUntraced(function* (row: SessionRow | null) {
    const machine = yield* reach
    const wanted = row === null || row.cwd === "" ? null : row.cwd
    const opened = yield* inOwner(openShell(machine, { thread, cwd: wanted }))
    live = { connection: opened.connection, home: opened.home }
    cwd = opened.cwd
    yield* save("idle")
    if (machine.fresh && row !== null)
      notes.push("Your computer was replaced by a new, empty one: files, processes and settings are gone.")
    else if (row !== null && row.state !== "closed")
      notes.push(
        opened.kept
          ? `A new shell was opened in ${cwd}; exported variables and functions were kept, background jobs may be gone.`
          : `The shell was lost and a new one was opened in ${cwd}; variables and functions set before are gone.`,
      )
    if (!opened.kept && wanted !== null && wanted !== cwd && !machine.fresh)
      notes.push(`The directory ${wanted} is gone.`)
    return live
  })

  /** A shell that was connected when we looked. */
  const ready = Effect.gen(function* () {
    if (live !== null && !Deferred.isDoneUnsafe(live.connection.gone)) return live
    const row = yield* store.load(agent, thread)
    const known = live
    yield* drop(false)
    if (row === null || row.session === "") return yield* open(row)
    if (row.cwd !== "") cwd = row.cwd
    const machine = known?.connection.machine ?? (yield* reach)
    const left = leftBehind(row.state)
    const found = machine.fresh
      ? null
      : yield* attach(machine, row.session, left === null ? [] : [left]).pipe(
          Effect.retry({ while: ({ retry }) => retry === "later", schedule: reconnecting }),
          Effect.catchIf(
            ({ kind }) => kind === "missing",
            () => Effect.succeed(null),
          ),
        )
    if (found === null) {
      if (left !== null)
        notes.push(
          "A command was running when the shell was lost: whether it finished is unknown. Check before repeating it.",
        )
      return yield* open(row)
    }
    live = { connection: found, home: known?.home ?? (yield* homeOf(found)) }
    leftover = left === null ? null : { command: left, of: "crash" }
    return live
  })

  /** A shell that takes a command: what was left running in it is stopped first. */
  const free = Effect.gen(function* () {
    const shell = yield* ready
    if (leftover === null) return shell
    const { command, of } = leftover
    const ended = yield* Deferred.await(command.ended).pipe(Effect.timeoutOption(REPLAY_WITHIN))
    if (ended._tag === "None") yield* stop(command)
    const gone = yield* Effect.raceFirst(
      Deferred.await(command.ended).pipe(Effect.as(false)),
      Effect.exit(Deferred.await(shell.connection.gone)).pipe(Effect.as(true)),
    ).pipe(Effect.timeoutOrElse({ duration: STOPS_WITHIN, orElse: () => Effect.succeed(true) }))
    command.abandon()
    notes.push(leftoverNote(command, of, ended._tag === "Some" ? ended.value.code : null))
    leftover = null
    if (!gone) {
      cwd = (yield* Deferred.await(command.ended)).cwd
      return shell
    }
    yield* drop(true)
    return yield* open(yield* store.load(agent, thread))
  })

  /** Waits for the end of what was typed, over broken connections. Null: the outcome will never be known. */
  const outcome = (command: ShellCommand, timeoutMs: number): Effect.Effect<Outcome, ShellError> =>
    Effect.gen(function* () {
      if (live === null) return { kind: "unknown" }
      const { connection } = live
      const next = yield* Effect.raceAllFirst([
        Deferred.await(command.ended).pipe(Effect.map((ended): Outcome => ({ kind: "ended", ...ended }))),
        Deferred.await(connection.gone).pipe(
          Effect.map((code): Outcome => ({ kind: "exited", code })),
          Effect.catch(() => Effect.succeed<Outcome>({ kind: "broken" })),
        ),
        Effect.sleep(timeoutMs + OVERDUE_MS).pipe(Effect.as<Outcome>({ kind: "overdue" })),
        Deferred.await(command.begun).pipe(
          Effect.timeoutOrElse({ duration: BEGINS_WITHIN, orElse: () => Effect.fail("deaf") }),
          Effect.andThen(Effect.never),
          Effect.catch(() => Effect.succeed<Outcome>({ kind: "deaf" })),
        ),
        Deferred.await(command.flooded).pipe(
          Effect.andThen(Effect.ignore(stop(command))),
          Effect.andThen(Effect.never),
        ),
      ])
      if (next.kind !== "broken") return next
      yield* connection.close
      command.resync()
      const again = yield* attach(connection.machine, connection.session.id, [command]).pipe(
        Effect.retry({ while: ({ retry }) => retry === "later", schedule: reconnecting }),
        Effect.option,
      )
      if (again._tag === "None") return { kind: "unknown" }
      live = { ...live, connection: again.value }
      return yield* outcome(command, timeoutMs)
    })

  const script = (command: ShellCommand, body: string, timeoutMs: number) =>
    commandScript({ mark: command.mark, tag: command.tag, body, timeoutMs, stopFile: stopFile(command) })

  /** Types an empty command: when that ends, whatever was typed before it and has not begun never will. */
  const hears = Effect.suspend(() => {
    if (live === null) return Effect.succeed(false)
    const probe = new ShellCommand(newMark(), newMark())
    live.connection.expect(probe)
    return live.connection.type(script(probe, ":", 1000)).pipe(
      Effect.andThen(Deferred.await(probe.ended)),
      Effect.timeout(BEGINS_WITHIN),
      Effect.as(true),
      Effect.catch(() => Effect.succeed(false)),
    )
  })

  const type = Effect.fnUntraced(function* (
    request: CommandRequest,
    attempt: number,
  ): Effect.fn.Return<{ readonly command: ShellCommand; readonly outcome: Outcome }, ShellError> {
    const shell = yield* free
    const command = new ShellCommand(newMark(), newMark(), request.onOutput)
    active = command
    yield* save(`running:${command.mark}:${command.tag}`)
    shell.connection.expect(command)
    const typed = yield* Effect.result(
      shell.connection.type(script(command, request.command, request.timeoutMs)),
    )
    if (Result.isFailure(typed)) {
      // Nothing was typed: the connection had broken before.
      yield* save("idle")
      yield* drop(false)
      return attempt < MOST_ATTEMPTS ? yield* type(request, attempt + 1) : yield* typed.failure
    }
    const result = yield* outcome(command, request.timeoutMs).pipe(
      Effect.onInterrupt(() => {
        leftover = { command, of: "interruption" }
        return stop(command).pipe(Effect.timeoutOption("2 seconds"), Effect.ignore)
      }),
    )
    if (result.kind !== "deaf" || attempt >= MOST_ATTEMPTS) return { command, outcome: result }
    if (!(yield* hears)) {
      yield* drop(true)
      notes.push("The shell did not answer and was replaced.")
    } else if (command.isBegun) return { command, outcome: yield* outcome(command, request.timeoutMs) }
    // It never began, and now it never will: to type it again is safe.
    return yield* type(request, attempt + 1)
  })

  const run = Effect.fn("SessionShell.run")(function* (request: CommandRequest) {
    if (request.command.includes("\0")) return yield* noNul
    const started = yield* Clock.currentTimeMillis
    const { command, outcome } = yield* type(request, 0).pipe(
      Effect.ensuring(Effect.sync(() => (active = null))),
    )
    command.abandon()
    const ms = (yield* Clock.currentTimeMillis) - started
    const home = live?.home ?? null
    const machine = live?.connection.machine ?? null
    if (outcome.kind === "ended") {
      cwd = outcome.cwd
      yield* save("idle")
    } else {
      yield* drop(outcome.kind === "overdue" || outcome.kind === "deaf")
      yield* save("lost", "")
    }
    const timedOut = command.stopped === "timeout" || outcome.kind === "overdue"
    const said = notes.concat(resultNotes(command, outcome, timedOut, request.timeoutMs))
    notes = []
    let fullOutputPath: string | null = null
    let shown = shownOutput(command.output, OUTPUT_CAP, null)
    if (!shown.complete && machine !== null) {
      const path = `${home}/.troupe/output/${request.callId.replace(/[^\w-]/g, "_").slice(0, 80)}.log`
      const written = yield* Effect.exit(machine.writeFile(path, command.output.bytes))
      if (Exit.isSuccess(written)) {
        fullOutputPath = path
        shown = shownOutput(command.output, OUTPUT_CAP, path)
      }
    }
    return {
      output: shown.text,
      exitCode: outcome.kind === "ended" || outcome.kind === "exited" ? outcome.code : null,
      timedOut,
      ms,
      cwd: cwd ?? "",
      notes: said,
      fullOutputPath,
    }
  })

  const here = (): Place | null =>
    live === null || cwd === null ? null : { machine: live.connection.machine, home: live.home, cwd }

  return {
    run: (request) => oneAtATime.withPermit(run(request)),
    interrupt: Effect.suspend(() => {
      const command = active
      return command === null ? Effect.succeed(false) : Effect.as(stop(command), true)
    }),
    here,
    place: oneAtATime.withPermit(ready).pipe(
      Effect.flatMap(() => {
        const place = here()
        return place === null ? Effect.fail(noShell(machineName)) : Effect.succeed(place)
      }),
    ),
    close: oneAtATime.withPermit(
      Effect.gen(function* () {
        if (live === null) return
        const { connection } = live
        // A polite exit leaves directory, variables and functions to the next shell.
        yield* connection.type("exit\n").pipe(Effect.ignore)
        yield* Effect.exit(Deferred.await(connection.gone)).pipe(Effect.timeoutOption("2 seconds"))
        yield* drop(true)
        yield* save("closed", "")
      }),
    ),
  }
})

const leftBehind = (state: string): ShellCommand | null => {
  const [, mark, tag] = /^running:([0-9a-f]{16}):([0-9a-f]{16})$/.exec(state) ?? []
  if (mark === undefined || tag === undefined) return null
  const command = new ShellCommand(mark, tag)
  command.resync()
  return command
}

const homeOf = ({ machine }: ShellConnection) =>
  execute(machine, { argv: ["bash", "-c", 'printf %s "$HOME"'], timeoutMs: 10_000 }).pipe(
    Effect.map(({ stdout }) => stdout.bytes.toString("utf8")),
  )

const noNul = new SandboxError({
  kind: "invalid",
  retry: "never",
  message: "A command cannot contain NUL characters.",
  cause: "NUL",
})
