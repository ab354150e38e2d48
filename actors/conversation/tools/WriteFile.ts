/** Writes a whole file and answers with what changed. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Shell } from "../../sprite/index.ts"
import { inPlace, readText } from "./SandboxFiles.ts"
import { done, schemaTool } from "./SchemaTool.ts"
import type { Tool } from "./Tool.ts"
import { unifiedDiff } from "./UnifiedDiff.ts"

const Input = Schema.Struct({
  path: Schema.String.annotate({ description: "Absolute, ~, or relative to the shell's directory." }),
  content: Schema.String,
})

export const writeFileTool = (shell: Shell["Service"]): Tool =>
  schemaTool({
    name: "write_file",
    description:
      "Writes a whole text file, with its directories, and answers with a diff. For a change use edit_file.",
    input: Input,
    idempotent: true,
    parallel: false,
    summary: ({ path }) => path,
    run: ({ path, content }) =>
      Effect.gen(function* () {
        const place = yield* inPlace(shell, path)
        // What is not text is replaced, too; there is only no diff of it.
        const before = yield* readText(place, place.path).pipe(
          Effect.catchTag("Refusal", () => Effect.succeed("[not a text]\n")),
        )
        if (before !== content) yield* place.machine.writeFile(place.path, Buffer.from(content))
        return done(unifiedDiff(place.path, before, content))
      }),
  })
