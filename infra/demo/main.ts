/** `npm run demo`: plays the scene, prints what people saw and what passed on the bus. Exit 1 when anything is lost or doubled. */
import * as Effect from "effect/Effect"
import process, { exit, stderr, stdout } from "node:process"
import { play } from "./Scene.ts"
import { show } from "./Show.ts"

const print = (line: string) => void stdout.write(`${line}\n`)

const program = Effect.scoped(play((line) => print(`  ${line}`))).pipe(
  Effect.map((played) => {
    print(show(played))
    return played.faults
  }),
  Effect.timeout("60 seconds"),
)

/** Ctrl-C takes the stage down as its end does. */
const stop = new AbortController()
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort())

exit(
  await Effect.runPromise(program, { signal: stop.signal }).then(
    (faults) => {
      if (faults.length === 0) return 0
      stderr.write(`The scene went wrong: ${faults.join("; ")}.\n`)
      return 1
    },
    (error: unknown) => {
      if (stop.signal.aborted) return 130
      stderr.write(
        `The scene could not be played: ${error instanceof Error ? error.message : String(error)}\n`,
      )
      return 1
    },
  ),
)
