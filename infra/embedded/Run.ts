import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { closeSync } from "node:fs"

/** A program that ends by itself: its output, or an error with the last of it. `directory` as in ServerProcess.ts. */
export const run = (
  file: string,
  args: ReadonlyArray<string>,
  { directory, ...as }: { readonly uid?: number; readonly gid?: number; readonly directory?: number },
) =>
  Effect.callback<string, Error>((resume) => {
    const stdio = [
      "ignore" as const,
      "pipe" as const,
      "pipe" as const,
      ...(directory === undefined ? [] : [directory]),
    ]
    const child = spawn(file, args, {
      ...as,
      cwd: "/",
      stdio,
      env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" },
    })
    if (directory !== undefined) closeSync(directory)
    let output = ""
    const hear = (part: Buffer) => (output = (output + part.toString()).slice(-10_000))
    child.stdout?.on("data", hear)
    child.stderr?.on("data", hear)
    child.once("error", (error) => resume(Effect.fail(error)))
    child.once("close", (code) =>
      resume(
        code === 0
          ? Effect.succeed(output)
          : Effect.fail(new Error(output.trim().split("\n").at(-1) || `exit code ${code}`)),
      ),
    )
    return Effect.sync(() => child.kill("SIGKILL"))
  })
