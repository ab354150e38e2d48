/**
 * One run of a server program as our child: the bridge to node:child_process. Its stderr is read for the line that says it is
 * ready, and its last words are kept for the error message.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { spawn } from "node:child_process"
import { closeSync } from "node:fs"

export interface Command {
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly uid?: number
  readonly gid?: number
  /** An open directory that the program finds as /proc/self/fd/3; closed here once the program has it. */
  readonly directory?: number
  /** The line on stderr that says it is ready. */
  readonly ready: string
  /** How it is asked to stop, and how long it may take before it is killed. */
  readonly stop: NodeJS.Signals
}

/** It ended; `output` is the end of what it wrote. */
export class ServerEnded extends Schema.TaggedError<ServerEnded>()("ServerEnded", {
  how: Schema.String,
  output: Schema.String,
}) {}

export interface ServerProcess {
  readonly pid: number
  readonly ready: Effect.Effect<void, ServerEnded>
  readonly ended: Effect.Effect<ServerEnded>
}

const KEPT = 4_000

/** Starts it; it is stopped, and its end awaited, when the scope closes. */
export const serverProcess = (command: Command) =>
  Effect.acquireRelease(
    Effect.sync(() => launch(command)),
    ({ child, ended }) =>
      Effect.gen(function* () {
        if (yield* Deferred.isDone(ended)) return
        child.kill(command.stop)
        const end = yield* Deferred.await(ended).pipe(Effect.timeoutOption("30 seconds"))
        if (end._tag === "Some") return
        child.kill("SIGKILL")
        yield* Deferred.await(ended)
      }),
  ).pipe(
    Effect.map(({ child, ready, ended }): ServerProcess => ({
      pid: child.pid ?? 0,
      ready: Deferred.await(ready),
      ended: Deferred.await(ended),
    })),
  )

const launch = ({ file, args, uid, gid, directory, ready: line }: Command) => {
  const ready = Deferred.makeUnsafe<void, ServerEnded>()
  const ended = Deferred.makeUnsafe<ServerEnded>()
  const as = uid === undefined || gid === undefined ? {} : { uid, gid }
  const child = spawn(file, args, {
    ...as,
    cwd: "/",
    // Its own process group: Ctrl-C is for us, who still need it while we drain.
    detached: true,
    stdio: ["ignore", "ignore", "pipe", ...(directory === undefined ? [] : [directory])],
    env: { PATH: process.env["PATH"], TZ: "UTC", LC_ALL: "C" },
  })
  if (directory !== undefined) closeSync(directory)
  let output = ""
  child.stderr?.on("data", (part: Buffer) => {
    output = (output + part.toString()).slice(-KEPT)
    if (output.includes(line)) Deferred.doneUnsafe(ready, Effect.void)
  })
  const end = (how: string) => {
    const error = new ServerEnded({ how, output })
    Deferred.doneUnsafe(ended, Effect.succeed(error))
    Deferred.doneUnsafe(ready, Effect.fail(error))
  }
  child.once("error", (error) => end(error.message))
  // "close" comes after the last output, but waits for whoever inherited the pipe: "exit" plus one turn is enough.
  child.once("exit", (code, signal) =>
    setImmediate(end, signal === null ? `exit code ${code}` : `signal ${signal}`),
  )
  return { child, ready, ended }
}
