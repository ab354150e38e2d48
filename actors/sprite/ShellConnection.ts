/**
 * Our end of one shell process: types scripts into it and hands its output to the commands they belong to. The
 * connection may break and be made again while the process goes on; `gone` says how it ended for us.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Machine, SandboxError, Session, StreamName } from "../../integrations/sprites/index.ts"
import type { ShellCommand } from "./ShellCommand.ts"
import { ShellStream } from "./ShellStream.ts"

export interface ShellConnection {
  readonly machine: Machine
  readonly session: Session
  /** Completes with the shell's exit code, or fails when the connection broke first. */
  readonly gone: Deferred.Deferred<number, SandboxError>
  /** Marks of this command are heard from now on. */
  readonly expect: (command: ShellCommand) => void
  readonly type: (script: string) => Effect.Effect<void, SandboxError>
  /** Hangs up; the process goes on. */
  readonly close: Effect.Effect<void>
}

type OnOutput = (stream: StreamName, chunk: Uint8Array) => void

/** `expected` are heard from the first byte on. The connection closes with the scope at the latest. */
export const connectShell = Effect.fnUntraced(function* (
  machine: Machine,
  expected: ReadonlyArray<ShellCommand>,
  start: (onOutput: OnOutput) => Effect.Effect<Session, SandboxError, Scope.Scope>,
): Effect.fn.Return<ShellConnection, SandboxError, Scope.Scope> {
  const commands = new Map(expected.map((command) => [command.mark, command]))
  let current: ShellCommand | undefined = expected.at(-1)
  const stream = new ShellStream(
    commands,
    (bytes) => current?.onText(bytes),
    (mark) => {
      const command = commands.get(mark.mark)
      command?.onMark(mark)
      if (mark.kind === "begin") current = command
      if (mark.kind !== "end") return
      commands.delete(mark.mark)
      if (current === command) current = undefined
    },
  )
  const scope = yield* Scope.fork(yield* Effect.scope)
  return yield* Effect.gen(function* () {
    const session = yield* start((_, chunk) => stream.push(chunk))
    const gone = Deferred.makeUnsafe<number, SandboxError>()
    yield* Deferred.into(session.exit, gone).pipe(Effect.forkIn(scope, { startImmediately: true }))
    return {
      machine,
      session,
      gone,
      expect: (command: ShellCommand) => void commands.set(command.mark, command),
      type: (script: string) => session.write(Buffer.from(script)),
      close: Scope.close(scope, Exit.void),
    }
  }).pipe(
    Scope.provide(scope),
    Effect.onError(() => Scope.close(scope, Exit.void)),
  )
})
