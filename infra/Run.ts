/**
 * Runs `start` until SIGINT or SIGTERM, then closes everything in order. 0: stopped cleanly. 1: failed, with one plain sentence.
 * 78: the configuration is wrong, or the home is taken.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import process from "node:process"
import { Logging, Redaction, Settings } from "../runtime/index.ts"
import { start } from "./Start.ts"

const stopped = Effect.callback<void>((resume) => {
  const stop = () => resume(Effect.void)
  process.once("SIGINT", stop)
  process.once("SIGTERM", stop)
})

const program = Effect.scoped(Effect.andThen(start, stopped)).pipe(
  Effect.raceFirst(stopped),
  Effect.provide(Logging.layer.pipe(Layer.provideMerge(Layer.merge(Settings.layer, Redaction.layer)))),
)

/** Tags of errors that a person mends in the configuration. */
const misconfigured = new Set(["ConfigError", "HomeTaken", "SecretsError", "SettingsError"])

export const run: Promise<number> = Effect.runPromiseExit(program).then((exit) => {
  if (Exit.isSuccess(exit)) return 0
  const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  if (error === undefined) {
    process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
    return 1
  }
  process.stderr.write(`${sentence(error)}\n`)
  return misconfigured.has(error._tag) ? 78 : 1
})

/** The servers say what is wrong; a person also needs to know what to do. */
const sentence = (error: { readonly _tag: string; readonly message: string }): string => {
  switch (error._tag) {
    case "StoreError":
      return `Postgres does not answer (${error.message}): check DATABASE_URL, or unset it to use the embedded one.`
    case "BusError":
      return `${error.message}: check NATS_URL, or unset it to use the embedded one.`
    default:
      return error.message
  }
}
