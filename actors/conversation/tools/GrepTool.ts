/** Finds lines by a regular expression. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { execute, visibleText } from "../../sprite/index.ts"
import type { Shell } from "../../sprite/index.ts"
import { capped, inPlace } from "./SandboxFiles.ts"
import { done, Refusal, schemaTool } from "./SchemaTool.ts"
import type { Tool } from "./Tool.ts"

const Input = Schema.Struct({
  pattern: Schema.String.check(Schema.isMinLength(1)).annotate({
    description: "Extended regular expression (grep -E).",
  }),
  path: Schema.optionalKey(
    Schema.String.annotate({ description: "File or directory. Default: the shell's directory." }),
  ),
  include: Schema.optionalKey(
    Schema.String.annotate({ description: "Only files with such a name, for example *.ts" }),
  ),
  ignore_case: Schema.optionalKey(Schema.Boolean),
  context: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 })).annotate({
      description: "Lines around each match.",
    }),
  ),
})

const LONGEST_LINE = 400

export const grepTool = (shell: Shell["Service"]): Tool =>
  schemaTool({
    name: "grep",
    description: "Finds lines in text files, with file and line number. Leaves out .git and node_modules.",
    input: Input,
    idempotent: true,
    parallel: true,
    summary: ({ pattern, path }) => (path === undefined ? pattern : `${pattern} in ${path}`),
    run: (input) =>
      Effect.gen(function* () {
        if (input.pattern.includes("\0") || input.include?.includes("\0") === true)
          return yield* new Refusal({ message: "The pattern must not contain NUL characters." })
        const place = yield* inPlace(shell, input.path ?? ".")
        const { exitCode, stdout, stderr } = yield* execute(place.machine, {
          argv: [
            "grep",
            "-rnIE",
            "--exclude-dir=.git",
            "--exclude-dir=node_modules",
            "--exclude-dir=.troupe",
            ...(input.ignore_case === true ? ["-i"] : []),
            ...(input.include === undefined ? [] : [`--include=${input.include}`]),
            ...(input.context === undefined ? [] : ["-C", `${input.context}`]),
            "-e",
            input.pattern,
            "--",
            place.path,
          ],
          cwd: place.home,
          timeoutMs: 60_000,
        })
        const errors = visibleText(stderr.bytes).trim().slice(0, 1000)
        // 2 also means that some file could not be read; then what was found counts.
        if (exitCode > 1 && stdout.total === 0) return yield* new Refusal({ message: errors })
        if (stdout.total === 0) return done("No lines match.")
        const prefix = `${place.path}/`
        const lines = visibleText(stdout.bytes)
          .replace(/\n$/, "")
          .split("\n")
          .map((line) => (line.startsWith(prefix) ? line.slice(prefix.length) : line))
          .map((line) =>
            line.length <= LONGEST_LINE ? line : `${line.slice(0, LONGEST_LINE).toWellFormed()} [...]`,
          )
        return done(yield* capped(place, [...lines, ...(errors === "" ? [] : [errors])].join("\n")))
      }),
  })
