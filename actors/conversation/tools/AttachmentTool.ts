/** Puts a file that came with the words of this turn into the sandbox. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Attachment, Blobs } from "../../../runtime/index.ts"
import type { Shell } from "../../sprite/index.ts"
import { inPlace } from "./SandboxFiles.ts"
import { done, Refusal, schemaTool } from "./SchemaTool.ts"
import { TurnContext, type Tool } from "./Tool.ts"

const Input = Schema.Struct({
  name: Schema.String.annotate({ description: "The file's name as it came." }),
  path: Schema.optionalKey(
    Schema.String.annotate({ description: "Where to put it. Default: ~/attachments/<name>." }),
  ),
})

export const attachmentTool = (shell: Shell["Service"], blobs: Blobs["Service"]): Tool =>
  schemaTool({
    name: "attachment",
    description: "Puts a file that came with a message onto your computer.",
    input: Input,
    idempotent: true,
    parallel: true,
    summary: ({ name }) => name,
    run: (input) =>
      Effect.gen(function* () {
        const { attachments } = yield* TurnContext
        const found = attachments.findLast(({ name }) => name === input.name)
        if (found === undefined) return yield* new Refusal({ message: noSuch(input.name, attachments) })
        if (found.blob === null)
          return yield* new Refusal({
            message: `${found.name} (${found.size} bytes) was not fetched from where it was sent. Ask for it in another way.`,
          })
        const place = yield* inPlace(shell, input.path ?? `~/attachments/${fileName(found.name)}`)
        const kept = yield* blobs.read(found.blob)
        if (kept === undefined) return yield* new Refusal({ message: `${found.name} is not kept any more.` })
        const { bytes, mime } = kept
        yield* place.machine.writeFile(place.path, bytes)
        return done(`${place.path} (${mime}, ${bytes.length} bytes)`)
      }),
  })

const noSuch = (name: string, attachments: ReadonlyArray<Attachment>): string =>
  attachments.length === 0
    ? "No files came with these messages."
    : `No file "${name}" came with these messages. There are: ${attachments.map(({ name }) => name).join(", ")}.`

/** A name from outside never chooses a directory. */
const fileName = (name: string): string =>
  name
    // oxlint-disable-next-line no-control-regex
    .replace(/[/\\\x00-\x1f\x7f]/g, "_")
    .replace(/^\.+$/, "_")
    .slice(0, 150) || "file"
