#!/usr/bin/env node
/**
 * The command line. Exit codes: 0 done, 1 failed with one plain sentence on stderr, 78 the configuration is wrong. Ctrl-C ends
 * what would go on for ever, and that is no failure. Can be started itself: npx keeps links, and early ones lead here.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import process from "node:process"
import { Settings } from "../../runtime/index.ts"
import { troupe } from "./Commands.ts"

// `troupe thread x | head` closes the pipe early.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1))

const misconfigured = new Set(["ConfigError", "HomeTaken", "SettingsError"])

const program = Command.run(troupe, { version: "0.1.0" }).pipe(
  Effect.provide(Settings.layer),
  Effect.provide(NodeServices.layer),
)
const ended = await Effect.runPromiseExit(program)
if (Exit.isFailure(ended)) {
  const error = Option.getOrUndefined(Cause.findErrorOption(ended.cause)) as
    { readonly _tag: string; readonly message: string } | undefined
  // The command line's own mistakes are told by the library, with the help.
  if (error === undefined) process.stderr.write(`${Cause.pretty(ended.cause)}\n`)
  else if (error._tag !== "ShowHelp") process.stderr.write(`${error.message}\n`)
  process.exitCode = misconfigured.has(error?._tag ?? "") ? 78 : 1
}
