/**
 * One program run on a machine beside the shells, for the runtime's own needs: no input, bounded output, a time limit.
 * It does not see the shell's variables. After the limit it is killed.
 */
import * as Effect from "effect/Effect"
import { SandboxError } from "../../integrations/sprites/index.ts"
import type { Machine } from "../../integrations/sprites/index.ts"
import { KeptOutput } from "./KeptOutput.ts"

export interface Executed {
  readonly exitCode: number
  readonly stdout: KeptOutput
  readonly stderr: KeptOutput
}

const KEEP = 1024 * 1024

/** Stdin is never closed by a sandbox, so the program gets the null device. */
const WRAPPER = ["bash", "--noprofile", "--norc", "-c", 'exec "$@" </dev/null', "run"]

export const execute = Effect.fn("Execute.execute")(function* (
  machine: Machine,
  options: { readonly argv: ReadonlyArray<string>; readonly cwd?: string; readonly timeoutMs: number },
): Effect.fn.Return<Executed, SandboxError> {
  const out = { stdout: new KeptOutput(KEEP, KEEP), stderr: new KeptOutput(KEEP, KEEP) }
  return yield* Effect.gen(function* () {
    const session = yield* machine.spawn({
      argv: [...WRAPPER, ...options.argv],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      detachable: false,
      onOutput: (stream, chunk) => out[stream].append(chunk),
    })
    const kill = session.kill("KILL").pipe(Effect.ignore)
    const exitCode = yield* session.exit.pipe(
      Effect.onInterrupt(() => kill),
      Effect.timeoutOrElse({
        duration: options.timeoutMs,
        orElse: () =>
          Effect.fail(
            new SandboxError({
              kind: "limit",
              retry: "never",
              message: `It took longer than ${options.timeoutMs / 1000} s and was stopped.`,
              cause: options.argv,
            }),
          ),
      }),
    )
    return { exitCode, ...out }
  }).pipe(Effect.scoped)
})
