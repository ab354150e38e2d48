/**
 * The process log: one line an entry on stderr (stdout belongs to what a person asked for), as text or as JSON.
 * Every line is redacted as a whole, and control characters from outside cannot forge a line.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import { Settings } from "../config/Settings.ts"
import { Redaction } from "../secrets/Redaction.ts"

/** Writes one finished line, without its line break. */
export type WriteLine = (line: string) => void

const toStderr: WriteLine = (line) => void process.stderr.write(`${line}\n`)

/** Replaces the default logger by the one that LOG_FORMAT and LOG_LEVEL ask for. */
export const layer: Layer.Layer<never, never, Settings | Redaction> = Layer.unwrap(
  Effect.gen(function* () {
    const { logFormat, logLevel } = yield* Settings
    return layerTo(logFormat, levelOf(logLevel), toStderr)
  }),
)

export const layerTo = (
  format: "pretty" | "json",
  level: LogLevel.LogLevel,
  write: WriteLine,
): Layer.Layer<never, never, Redaction> =>
  Layer.merge(
    Logger.layer([
      Effect.map(Redaction, ({ redact }) =>
        Logger.map(format === "json" ? Logger.formatJson : pretty, (line) => write(redact(line))),
      ),
    ]),
    Layer.succeed(References.MinimumLogLevel, level),
  )

const levels: Readonly<Record<string, LogLevel.LogLevel>> = {
  all: "All",
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  warning: "Warn",
  error: "Error",
  fatal: "Fatal",
  none: "None",
}
const levelOf = (name: string): LogLevel.LogLevel => levels[name.toLowerCase()] ?? "Info"

/** `08:21:59.123 INFO  Room opened  room=01h…`, a cause indented below it. */
const pretty = Logger.make<unknown, string>(({ date, logLevel, message, cause, fiber }) => {
  const words = (Array.isArray(message) ? message : [message]).map((part: unknown) =>
    typeof part === "string" ? part : JSON.stringify(part),
  )
  const notes = Object.entries(fiber.getRef(References.CurrentLogAnnotations)).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  )
  const head = `${date.toISOString().slice(11, 23)} ${logLevel.toUpperCase().padEnd(5)} ${plain(words.join(" "))}`
  const line = notes.length > 0 ? `${head}  ${plain(notes.join(" "))}` : head
  return cause.reasons.length === 0
    ? line
    : `${line}\n  ${Cause.pretty(cause).split("\n").map(plain).join("\n  ")}`
})

/** Control characters, made visible. */
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g
const plain = (text: string): string =>
  text.replace(control, (char) =>
    JSON.stringify(char)
      .slice(1, -1)
      .replace(/^[^\\]$/, "?"),
  )
