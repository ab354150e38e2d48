/** Reads a text by lines, in pages, inside the sandbox: a huge file costs no more than a page. Pictures are shown. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { execute, OUTPUT_CAP, visibleText } from "../../sprite/index.ts"
import type { Shell } from "../../sprite/index.ts"
import { inPlace } from "./SandboxFiles.ts"
import { done, Refusal, schemaTool } from "./SchemaTool.ts"
import type { Tool, ToolResult } from "./Tool.ts"

const DEFAULT_LINES = 1000
const LONGEST_LINE = 2000
/** What the model's API takes as one picture. */
const LARGEST_PICTURE = 3_500_000

const pictures: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
}

const Input = Schema.Struct({
  path: Schema.String.annotate({ description: "Absolute, ~, or relative to the shell's directory." }),
  offset: Schema.optionalKey(
    Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)).annotate({ description: "First line. Default 1." }),
  ),
  limit: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })).annotate({
      description: `Lines at most. Default ${DEFAULT_LINES}.`,
    }),
  ),
})

/** Prints the number of newlines and of bytes, then the page. */
const PAGE = `[[ -e $1 ]] || exit 40; [[ ! -d $1 ]] || exit 41; [[ -r $1 ]] || exit 42; [[ -f $1 ]] || exit 43
echo $(wc -l <"$1") $(wc -c <"$1"); tail -n "+$2" -- "$1" | head -n "$3" | head -c 500000`

const refusals: Readonly<Record<number, string>> = {
  40: "There is no such file.",
  41: "It is a directory. Use list.",
  42: "Reading it is not permitted.",
  43: "It is not a regular file.",
}

export const readFileTool = (shell: Shell["Service"]): Tool =>
  schemaTool({
    name: "read_file",
    description:
      "Reads a text file with line numbers, a page at a time, or shows a picture (png, jpg, gif, webp).",
    input: Input,
    idempotent: true,
    parallel: true,
    summary: ({ path }) => path,
    run: ({ path, offset = 1, limit = DEFAULT_LINES }) =>
      Effect.gen(function* () {
        const place = yield* inPlace(shell, path)
        const picture = pictures[/\.(\w+)$/.exec(place.path)?.[1]?.toLowerCase() ?? ""]
        if (picture !== undefined) return shown(yield* place.machine.readFile(place.path), picture)
        const { exitCode, stdout, stderr } = yield* execute(place.machine, {
          argv: ["bash", "-c", PAGE, "read_file", place.path, `${offset}`, `${limit}`],
          cwd: place.home,
          timeoutMs: 30_000,
        })
        if (exitCode !== 0)
          return yield* new Refusal({
            message: `${place.path}: ${refusals[exitCode] ?? visibleText(stderr.bytes).trim()}`,
          })
        return done(page(stdout.bytes, offset))
      }),
  })

const shown = (bytes: Uint8Array, mime: string): ToolResult =>
  bytes.length > LARGEST_PICTURE
    ? { content: "The picture is larger than 3.5 MB. Make it smaller first.", ok: false, exitCode: null }
    : {
        content: [
          {
            type: "image",
            source: { type: "base64", media_type: mime, data: Buffer.from(bytes).toString("base64") },
          },
        ],
        ok: true,
        exitCode: null,
      }

/** As many whole lines as fit into a result, numbered, and how to go on. */
const page = (output: Buffer, offset: number): string => {
  const start = output.indexOf("\n") + 1
  const [newlines = 0, size = 0] = output.toString("utf8", 0, start).split(" ").map(Number)
  const body = output.subarray(start)
  if (size === 0) return "(the file is empty)"
  const rows = visibleText(body).replace(/\n$/, "").split("\n")
  if (body.length === 0) return `(the file has ${newlines} lines; line ${offset} is beyond its end)`
  const lines: Array<string> = []
  let length = 0
  for (const [at, row] of rows.entries()) {
    const cut =
      row.length <= LONGEST_LINE
        ? row
        : `${row.slice(0, LONGEST_LINE).toWellFormed()} [... ${row.length - LONGEST_LINE} more characters]`
    const line = `${String(offset + at).padStart(6)}\t${cut}`
    if (length + line.length > OUTPUT_CAP && lines.length > 0) break
    lines.push(line)
    length += line.length + 1
  }
  const next = offset + lines.length
  const more = next <= newlines || lines.length < rows.length
  return more
    ? `${lines.join("\n")}\n[... the file has ${newlines} lines; continue with offset ${next} ...]`
    : lines.join("\n")
}
