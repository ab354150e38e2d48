/** The JSON Schemas of what travels over the bus, made from the Schemas that the code decodes and writes with. */
import * as Schema from "effect/Schema"
import { join } from "node:path"
import { format, resolveConfig } from "prettier"
import { events, LiveDelta, OpenRequest, SayAnswer, SayRequest } from "../../runtime/index.ts"

export const schemasFolder = join(import.meta.dirname, "../../docs/schemas")

/** More may be added to what is told; what is asked is taken as it is described, and nothing else. */
const described = {
  ...Object.fromEntries(
    Object.entries(events).map(([kind, schema]) => [
      kind,
      { schema, open: true, title: `troupe.<ws>.thread.<door>.<room>.${kind}` },
    ]),
  ),
  live: { schema: LiveDelta, open: true, title: "troupe.<ws>.live.<room>.<agent>" },
  say: { schema: SayRequest, open: false, title: "troupe.<ws>.say.<speaker>.<room>" },
  "say-new": { schema: OpenRequest, open: false, title: "troupe.<ws>.say.<speaker>.new" },
  "say-answer": { schema: SayAnswer, open: true, title: "The answer to troupe.<ws>.say.<speaker>.<room>" },
} as const

/** File names and their text. */
export const busSchemas = async (): Promise<ReadonlyMap<string, string>> => {
  const files = new Map<string, string>()
  for (const [name, { schema, open, title }] of Object.entries(described)) {
    const file = `${name}.schema.json`
    const document = Schema.toJsonSchemaDocument(schema, { onExcessProperty: open ? "ignore" : "error" })
    const text = JSON.stringify({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      title,
      ...document.schema,
      ...(Object.keys(document.definitions).length === 0 ? {} : { $defs: document.definitions }),
    })
    const style = await resolveConfig(join(schemasFolder, file))
    files.set(file, await format(text, { ...style, parser: "json" }))
  }
  return files
}
