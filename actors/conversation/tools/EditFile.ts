/** Replaces text in a file that must occur exactly as given, and answers with what changed. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Shell } from "../../sprite/index.ts"
import { inPlace, readText } from "./SandboxFiles.ts"
import { done, Refusal, schemaTool } from "./SchemaTool.ts"
import type { Tool } from "./Tool.ts"
import { unifiedDiff } from "./UnifiedDiff.ts"

const Input = Schema.Struct({
  path: Schema.String.annotate({ description: "Absolute, ~, or relative to the shell's directory." }),
  old: Schema.String.check(Schema.isMinLength(1)).annotate({
    description: "The text to replace, exactly as in the file, without line numbers. Must occur once.",
  }),
  new: Schema.String.annotate({ description: "What to put in its place." }),
  all: Schema.optionalKey(
    Schema.Boolean.annotate({ description: "Replace every occurrence. Default false." }),
  ),
})

export const editFileTool = (shell: Shell["Service"]): Tool =>
  schemaTool({
    name: "edit_file",
    description: "Replaces exact text in a file and answers with a diff.",
    input: Input,
    idempotent: false,
    parallel: false,
    summary: ({ path }) => path,
    run: (input) =>
      Effect.gen(function* () {
        const place = yield* inPlace(shell, input.path)
        const before = yield* readText(place, place.path)
        if (before === null) return yield* new Refusal({ message: `There is no file ${place.path}.` })
        const wrong = whyNot(before, input.old, input.new, input.all === true)
        if (wrong !== null) return yield* new Refusal({ message: `${place.path} is unchanged: ${wrong}` })
        const after = before.replaceAll(input.old, () => input.new)
        yield* place.machine.writeFile(place.path, Buffer.from(after))
        return done(unifiedDiff(place.path, before, after))
      }),
  })

/** What keeps the edit from being made, in words that help to make it right. */
const whyNot = (text: string, old: string, replacement: string, all: boolean): string | null => {
  if (old === replacement) return "old and new are the same."
  const found = linesOf(text, old)
  if (found.length === 1 || (all && found.length > 0)) return null
  if (found.length > 1)
    return `old occurs ${found.length} times (lines ${found.slice(0, 10).join(", ")}). Add lines around it, or set all.`
  const loose = looseLine(text, old)
  return loose === null
    ? "old does not occur in it. Read the file again."
    : `old does not occur exactly; line ${loose} differs only in white space. Read it again and copy it as it is.`
}

const linesOf = (text: string, part: string): ReadonlyArray<number> => {
  const lines: Array<number> = []
  let line = 1
  let from = 0
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) {
    for (let i = from; i < at; i++) if (text.charCodeAt(i) === 10) line++
    from = at
    lines.push(line)
  }
  return lines
}

/** The line where the first line of `old` stands, white space aside. */
const looseLine = (text: string, old: string): number | null => {
  const squeeze = (line: string) => line.replace(/\s+/g, "")
  const wanted = old
    .split("\n")
    .map(squeeze)
    .filter((line) => line !== "")
  const rows = text
    .split("\n")
    .map((row, at) => ({ row: squeeze(row), line: at + 1 }))
    .filter(({ row }) => row !== "")
  const at = rows.findIndex(
    (_, start) => wanted.length > 0 && wanted.every((line, i) => rows[start + i]?.row === line),
  )
  return rows[at]?.line ?? null
}
