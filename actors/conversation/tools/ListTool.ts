/** The entries of a directory. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Entry } from "../../../integrations/sprites/index.ts"
import type { Shell } from "../../sprite/index.ts"
import { capped, inPlace } from "./SandboxFiles.ts"
import { done, schemaTool } from "./SchemaTool.ts"
import type { Tool } from "./Tool.ts"

const Input = Schema.Struct({
  path: Schema.optionalKey(Schema.String.annotate({ description: "Default: the shell's directory." })),
})

export const listTool = (shell: Shell["Service"]): Tool =>
  schemaTool({
    name: "list",
    description: "Lists a directory: directories first, with sizes in bytes.",
    input: Input,
    idempotent: true,
    parallel: true,
    summary: ({ path }) => path ?? ".",
    run: ({ path = "." }) =>
      Effect.gen(function* () {
        const place = yield* inPlace(shell, path)
        const entries = yield* place.machine.list(place.path)
        const rows = [...entries].sort(byKind).map(row)
        return done(
          yield* capped(place, [`${place.path}:`, ...(rows.length === 0 ? ["(empty)"] : rows)].join("\n")),
        )
      }),
  })

const byKind = (a: Entry, b: Entry): number =>
  Number(b.type === "directory") - Number(a.type === "directory") || (a.name < b.name ? -1 : 1)

const row = ({ name, type, size }: Entry): string =>
  type === "directory" ? `${name}/` : type === "symlink" ? `${name}@` : `${name}  ${size}`
