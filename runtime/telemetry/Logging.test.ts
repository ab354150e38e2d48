import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Redaction } from "../secrets/Redaction.ts"
import { layerTo } from "./Logging.ts"

const secret = "correct horse battery"
const logged = (format: "pretty" | "json", program: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    yield* Effect.gen(function* () {
      const redaction = yield* Redaction
      redaction.add(secret)
      yield* program
    }).pipe(
      Effect.provide(
        layerTo(format, "Info", (line) => lines.push(line)).pipe(Layer.provideMerge(Redaction.layer)),
      ),
    )
    return lines
  })

const program = Effect.logInfo(
  "Room opened",
  { token: secret },
  "bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
).pipe(
  Effect.annotateLogs({ room: "01h", note: `say ${secret}` }),
  Effect.andThen(Effect.logError("It broke", Cause.fail(new Error(`cannot use ${secret}`)))),
  Effect.andThen(Effect.logDebug("too quiet to hear")),
)

describe("Logging", () => {
  for (const format of ["pretty", "json"] as const) {
    it.effect(`${format}: no secret in message, annotation or cause`, () =>
      Effect.gen(function* () {
        const lines = yield* logged(format, program)
        expect(lines).toHaveLength(2)
        const text = lines.join("\n")
        expect(text).not.toContain(secret)
        expect(text).not.toContain("AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw")
        expect(text).toContain("Room opened")
        expect(text).toContain("01h")
        expect(text).toContain("cannot use [redacted]")
      }),
    )

    it.effect(`${format}: words from outside cannot forge a line`, () =>
      Effect.gen(function* () {
        const lines = yield* logged(format, Effect.logInfo("name\n12:00:00.000 ERROR forged\u001b[2J\u2028x"))
        expect(lines).toHaveLength(1)
        expect(lines[0]).not.toContain("\n")
        expect(lines[0]).not.toContain("\u001b")
        expect(lines[0]).toContain("forged")
      }),
    )
  }

  it.effect("json: every line is one JSON object", () =>
    Effect.gen(function* () {
      const lines = yield* logged("json", program)
      expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(["INFO", "ERROR"])
    }),
  )
})
