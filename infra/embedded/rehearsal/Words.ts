/**
 * Finds what was last said to the agent inside the framing of the runtime, which wraps each room message as
 * `<message from="name" id="..." role="person|agent" ...>text</message>`. Text without such a wrap is taken whole.
 */
import { blocksOf } from "../../emulators/anthropic/index.ts"
import type { MessagesRequest, WireBlock } from "../../emulators/anthropic/index.ts"

export interface ToolOutcome {
  readonly name: string
  readonly input: Readonly<Record<string, unknown>>
  readonly output: string
  readonly failed: boolean
}

const wrapped = /<message\b([^>]*)>([\s\S]*?)<\/message>/g
/** The runtime lists files inside the wrap, and writes the `<` of what looks like its own markup as an entity. */
const attached = /<file\b[^>]*\/>/g
const harmless = /&lt;(?=\/?(message|room|file)\b)/gi

/** The last words of a person or an agent in the newest user message; null when it holds nothing but tool results. */
export function lastWords(request: MessagesRequest): string | null {
  const texts = blocksOf(request.messages.at(-1)?.content).flatMap((block) =>
    block.type === "text" ? [String(block["text"] ?? "")] : [],
  )
  const spoken = texts.flatMap((text) =>
    [...text.matchAll(wrapped)].flatMap(([, attributes = "", body = ""]) =>
      /\brole="(person|agent)"/.test(attributes) ? [body] : [],
    ),
  )
  const last = spoken.at(-1)?.replaceAll(attached, "").replaceAll(harmless, "<")
  return (last ?? texts.at(-1)?.replace(wrapped, ""))?.trim() || null
}

/** What the tools of the round before returned, in the order they were asked for; empty outside a tool round. */
export function toolOutcomes(request: MessagesRequest): ReadonlyArray<ToolOutcome> {
  const uses = blocksOf(request.messages.at(-2)?.content).filter(({ type }) => type === "tool_use")
  const results = blocksOf(request.messages.at(-1)?.content).filter(({ type }) => type === "tool_result")
  return results.map((result) => {
    const use = uses.find((block) => block["id"] === result["tool_use_id"])
    return {
      name: String(use?.["name"] ?? "a tool"),
      input: (use?.["input"] ?? {}) as ToolOutcome["input"],
      output: textOf(result["content"]),
      failed: result["is_error"] === true,
    }
  })
}

const textOf = (content: unknown): string =>
  typeof content === "string"
    ? content
    : Array.isArray(content)
      ? (content as ReadonlyArray<WireBlock>)
          .map((block) => (block.type === "text" ? String(block["text"] ?? "") : `[${block.type}]`))
          .join("\n")
      : ""
