/**
 * The rules the Messages API holds a request to, as far as an agent can break them: shape, roles, pairing of tool uses
 * with their results, unique ids, non-empty text. Pure. The answer is the API's kind of sentence, or null.
 */
import { blocksOf } from "./Wire.ts"
import type { MessagesRequest, WireBlock } from "./Wire.ts"

export interface Rules {
  /** The API merges neighbours of one role; a strict transcript has none. */
  readonly alternate: boolean
}

export function validate(request: MessagesRequest, rules: Rules): string | null {
  if (typeof request.model !== "string" || request.model === "") return "model: Field required"
  if (!Number.isInteger(request.max_tokens) || request.max_tokens < 1)
    return "max_tokens: Input should be greater than or equal to 1"
  if (!Array.isArray(request.messages) || request.messages.length === 0)
    return "messages: at least one message is required"
  return unknownField(request) ?? repeatedTool(request) ?? breakpoints(request) ?? messages(request, rules)
}

const fields = new Set(
  (
    "model max_tokens stream system tools tool_choice messages thinking metadata stop_sequences temperature " +
    "top_p top_k service_tier output_config cache_control context_management container fallbacks speed"
  ).split(" "),
)

function unknownField(request: MessagesRequest): string | null {
  for (const field in request) if (!fields.has(field)) return `${field}: Extra inputs are not permitted`
  return null
}

function repeatedTool(request: MessagesRequest): string | null {
  const names = new Set<unknown>()
  for (const tool of request.tools ?? []) {
    if (names.has(tool.name)) return "tools: Tool names must be unique."
    names.add(tool.name)
  }
  return null
}

function breakpoints(request: MessagesRequest): string | null {
  let found = 0
  for (const block of everyBlock(request)) {
    if (block["cache_control"] === undefined) continue
    found++
    if (block["type"] === "thinking" || block["type"] === "redacted_thinking")
      return "cache_control: Extra inputs are not permitted"
    if (block["type"] === "text" && block["text"] === "")
      return "messages: cache_control cannot be set for empty text blocks"
  }
  return found > 4 ? `A maximum of 4 blocks with cache_control may be provided. Found ${found}.` : null
}

function* everyBlock(request: MessagesRequest): Iterable<Readonly<Record<string, unknown>>> {
  yield* request.tools ?? []
  yield* blocksOf(request.system)
  for (const message of request.messages) yield* blocksOf(message.content)
}

function messages(request: MessagesRequest, rules: Rules): string | null {
  const used = new Set<unknown>()
  let open: ReadonlyArray<unknown> = []
  let previous = ""
  for (const [at, message] of request.messages.entries()) {
    const where = `messages.${at}`
    if (message.role !== "user" && message.role !== "assistant")
      return `${where}.role: Input should be 'user' or 'assistant'`
    if (at === 0 && message.role !== "user") return 'messages: first message must use the "user" role'
    if (rules.alternate && message.role === previous)
      return `messages: roles must alternate between "user" and "assistant", but found multiple "${previous}" roles in a row`
    const blocks = blocksOf(message.content)
    if (blocks.length === 0) return `${where}: all messages must have non-empty content`
    const problem = emptyText(blocks, where) ?? results(blocks, open, where, message.role)
    if (problem !== null) return problem
    open = []
    if (message.role === "assistant") {
      const uses = blocks.filter((block) => block.type === "tool_use")
      for (const use of uses) {
        if (used.has(use["id"])) return `${where}: \`tool_use\` ids must be unique`
        used.add(use["id"])
        if (typeof use["input"] !== "object" || use["input"] === null || Array.isArray(use["input"]))
          return `${where}.tool_use.input: Input should be an object`
      }
      const last = blocks[blocks.length - 1]
      if (last?.type === "thinking" || last?.type === "redacted_thinking")
        return `${where}: The final block in an assistant message cannot be \`thinking\`.`
      open = uses.map((use) => use["id"])
    }
    previous = message.role
  }
  // A turn of a server tool that paused is sent back as it is.
  const last = blocksOf(request.messages[request.messages.length - 1]!.content)
  if (previous === "assistant" && !last.some((block) => block.type === "server_tool_use"))
    return "This model does not support assistant message prefill. The conversation must end with a user message."
  return null
}

function emptyText(blocks: ReadonlyArray<WireBlock>, where: string): string | null {
  return blocks.some((block) => block.type === "text" && String(block["text"] ?? "") === "")
    ? `${where}: text content blocks must be non-empty`
    : null
}

/** Every use of the message before is answered here, once, first, and nothing else is. */
function results(
  blocks: ReadonlyArray<WireBlock>,
  open: ReadonlyArray<unknown>,
  where: string,
  role: string,
): string | null {
  const answered: Array<unknown> = []
  for (const [at, block] of blocks.entries()) {
    if (block.type !== "tool_result") continue
    if (role !== "user") return `${where}: \`tool_result\` blocks can only be in \`user\` messages`
    const id = block["tool_use_id"]
    if (!open.includes(id))
      return `${where}.content.${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${String(id)}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`
    if (answered.includes(id))
      return `${where}.content.${at}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${String(id)}`
    if (at > 0 && blocks[at - 1]?.type !== "tool_result")
      return `${where}: \`tool_result\` blocks must come before other content`
    answered.push(id)
  }
  const missing = open.filter((id) => !answered.includes(id))
  return missing.length > 0
    ? `${where}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`
    : null
}
