/**
 * Starts a shell on a machine and waits until it has answered. Starting a process is not idempotent: when the connection
 * breaks meanwhile, we look whether the process is there and attach to it, and never start a second one.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ThreadId } from "../../runtime/index.ts"
import { SandboxError } from "../../integrations/sprites/index.ts"
import type { Machine } from "../../integrations/sprites/index.ts"
import { newMark, ShellCommand } from "./ShellCommand.ts"
import { connectShell } from "./ShellConnection.ts"
import type { ShellConnection } from "./ShellConnection.ts"
import { bootScript, SHELL_LABEL, shellArgv } from "./ShellScript.ts"

export interface OpenedShell {
  readonly connection: ShellConnection
  readonly home: string
  readonly cwd: string
  /** It took over the variables, functions and directory of the shell that ended before. */
  readonly kept: boolean
}

const BOOTS_WITHIN = "20 seconds"

export const openShell = Effect.fnUntraced(function* (
  machine: Machine,
  options: { readonly thread: ThreadId; readonly cwd: string | null },
): Effect.fn.Return<OpenedShell, SandboxError, Scope.Scope> {
  const boot = new ShellCommand(newMark(), newMark())
  const connection = yield* connectShell(machine, [boot], (onOutput) =>
    machine.spawn({ argv: shellArgv(boot.mark), detachable: true, onOutput }).pipe(
      Effect.catchIf(
        (error) => error.kind === "lost",
        (error) =>
          Effect.flatMap(machine.sessions, (sessions) => {
            const ours = sessions.find(({ command }) => command.includes(`${SHELL_LABEL}-${boot.mark}`))
            return ours === undefined ? Effect.fail(error) : machine.attach(ours.id, onOutput)
          }),
      ),
    ),
  )
  return yield* connection.type(bootScript({ mark: boot.mark, ...options })).pipe(
    Effect.andThen(Effect.raceFirst(Deferred.await(boot.ended), Deferred.await(connection.gone))),
    Effect.timeoutOrElse({ duration: BOOTS_WITHIN, orElse: () => Effect.fail(noShell(machine.name)) }),
    Effect.flatMap((ended) =>
      typeof ended === "number" || boot.home === null
        ? Effect.fail(noShell(machine.name))
        : Effect.succeed({ connection, home: boot.home.path, cwd: ended.cwd, kept: boot.home.kept }),
    ),
    Effect.onError(() =>
      connection.session.kill("KILL").pipe(Effect.ignore, Effect.andThen(connection.close)),
    ),
  )
})

export const noShell = (machine: string) =>
  new SandboxError({
    kind: "unavailable",
    retry: "later",
    message: `No shell could be opened on ${machine}. Try again; if it stays so, look at the sandbox server.`,
    cause: machine,
  })
