/** `troupe doctor`: exit code 1 when something is wrong. */
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import process from "node:process"
import type { Finding } from "../doctor/Finding.ts"
import { json, print } from "./Output.ts"
import { bold, dim, harmless, red } from "./Paint.ts"

const mark = { ok: "ok   ", look: "look ", wrong: "WRONG" }

const lines = ({ check, state, found, mend }: Finding): ReadonlyArray<string> => [
  `${state === "wrong" ? red(mark.wrong) : dim(mark[state])}  ${bold(check.padEnd(12))} ${harmless(found)}`,
  ...(mend === null ? [] : [`       ${" ".repeat(12)} ${dim("$")} ${harmless(mend)}`]),
]

export const doctor = Command.make(
  "doctor",
  { json },
  Effect.fnUntraced(function* (flags) {
    const { examine } = yield* Effect.promise(() => import("../doctor/Doctor.ts"))
    const findings = yield* examine
    yield* print(flags.json, findings, findings.flatMap(lines))
    if (findings.some((f) => f.state === "wrong")) yield* Effect.sync(() => (process.exitCode = 1))
  }),
).pipe(Command.withDescription("Say what is wrong here, and the one command that mends it"))
