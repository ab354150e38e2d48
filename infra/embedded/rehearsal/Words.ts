/**
 * Finds what was last said to the agent inside the framing of the runtime, which wraps each room message as
 * `<message from="name" id="..." role="person|agent" ...>text</message>`. Text without such a wrap is taken whole.
 */
import { blocksOf } from "../../emulators/anthropic/index.ts"
import type { MessagesRequest, WireBlock } from "../../emulators/anthropic/index.ts"

export interface Words {
  readonly from: string
  readonly text: string
}

export interface ToolOutcome {
  readonly name: string
  readonly input: Readonly<Record<string, unknown>>
  readonly output: string
  readonly failed: boolean
}

const wrapped = /<message\b([^>]*)>([\s\S]*?)<\/message>/g

/**
 * The last words in the newest user message that are meant for us: a person's, or an agent's that address somebody.
 * Null when the message holds nothing but tool results.
 */
export function lastWords(request: MessagesRequest): Words | null {
  const texts = blocksOf(request.messages.at(-1)?.content).flatMap((block) =>
    block.type === "text" ? [String(block["text"] ?? "")] : [],
  )
  const spoken = texts.flatMap((text) =>
    [...text.matchAll(wrapped)].map(([, attributes = "", body = ""]) => ({
      from: attribute(attributes, "from"),
      role: attribute(attributes, "role"),
      text: unescape(body).trim(),
    })),
  )
  const last = spoken.findLast(
    ({ role, text }) => role === "person" || (role === "agent" && text.includes("@")),
  )
  if (last !== undefined) return last
  const plain = texts.at(-1)?.replace(wrapped, "").trim()
  return plain ? { from: "", text: plain } : null
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

const attribute = (attributes: string, name: string): string =>
  unescape(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "")

const entities: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  "#39": "'",
  amp: "&",
}
const unescape = (text: string): string =>
  text.replace(/&(lt|gt|quot|apos|#39|amp);/g, (_, name: string) => entities[name] ?? "")
