/** Finds files by name. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { matchesGlob } from "node:path"
import { execute, visibleText } from "../../sprite/index.ts"
import type { Shell } from "../../sprite/index.ts"
import { capped, inPlace } from "./SandboxFiles.ts"
import { done, Refusal, schemaTool } from "./SchemaTool.ts"
import type { Tool } from "./Tool.ts"

const Input = Schema.Struct({
  pattern: Schema.String.check(Schema.isMinLength(1)).annotate({
    description: "For example **/*.ts or src/{a,b}/*. Relative to path.",
  }),
  path: Schema.optionalKey(Schema.String.annotate({ description: "Default: the shell's directory." })),
})

/** Newest first. `$2` is how deep to go, the rest are directories to leave out. */
const FIND = `cd -- "$1" || exit 2; depth=$2; shift 2; skip=(); for name; do skip+=(-name "$name" -prune -o); done
find . -mindepth 1 -maxdepth "$depth" "\${skip[@]}" \\( -type f -o -type l \\) -printf '%T@ %P\\0' | sort -z -n -r | cut -z -d' ' -f2-`

export const globTool = (shell: Shell["Service"]): Tool =>
  schemaTool({
    name: "glob",
    description:
      "Finds files by a glob pattern, newest first. Leaves out .git and node_modules unless named.",
    input: Input,
    idempotent: true,
    parallel: true,
    summary: ({ pattern, path }) => (path === undefined ? pattern : `${pattern} in ${path}`),
    run: ({ pattern, path = "." }) =>
      Effect.gen(function* () {
        const place = yield* inPlace(shell, path)
        const wanted = pattern.replace(/^\.\//, "")
        const depth = wanted.includes("**") ? 30 : wanted.split("/").length
        const skip = ["node_modules", ".git"].filter((name) => !wanted.includes(name))
        const { exitCode, stdout, stderr } = yield* execute(place.machine, {
          argv: ["bash", "-c", FIND, "glob", place.path, `${depth}`, ...skip],
          cwd: place.home,
          timeoutMs: 30_000,
        })
        if (exitCode === 2 && stdout.total === 0)
          return yield* new Refusal({ message: visibleText(stderr.bytes).trim() })
        const names = stdout.bytes
          .toString("utf8")
          .split("\0")
          .filter((name) => name !== "" && matchesGlob(name, wanted))
        const incomplete =
          stdout.parts.dropped > 0 ? ["[there are too many files: some were not looked at]"] : []
        if (names.length === 0) return done(["No files match.", ...incomplete].join("\n"))
        return done(
          yield* capped(
            place,
            [...names.map((name) => visibleText(Buffer.from(name))), ...incomplete].join("\n"),
          ),
        )
      }),
  })
