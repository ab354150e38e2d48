/**
 * From a `ModelRequest` to the body of `POST /v1/messages`. What the conversation stored goes out as it is; only two
 * things are added here, at call time, and neither is part of the prefix that the API caches and binds (P12):
 *
 * - `cache_control` on at most 4 blocks. It is an instruction to the cache beside the content: cache keys, thinking
 *   signatures and the model's input are made of the content alone, so a marker may move from call to call. The four:
 *   the last tool, the last system block, the last markable block of the last message, and that of the user message
 *   before it, where the previous call put its mark (found exactly, however many blocks came since; the API looks back
 *   20 blocks only).
 * - `thinking`, chosen by the model's name alone, so that it is the same for every call of a segment.
 */
import type { Block, ModelMessage, ModelRequest, ToolSpec } from "./Model.ts"

export interface Body {
  readonly model: string
  readonly max_tokens: number
  readonly stream: true
  readonly system?: ReadonlyArray<Block>
  readonly tools?: ReadonlyArray<ToolSpec>
  readonly messages: ReadonlyArray<ModelMessage>
  readonly thinking?: typeof thinking
}

const thinking = { type: "adaptive", display: "updates" } as const
const mark = { type: "ephemeral" } as const

/** Models that write their words between tool calls as thinking, empty unless `display` asks for them. */
const writesNotes = /^claude-(opus-5-5|sonnet-5-5|fable-5|mythos-5)(-|$)/
export const notesBeta = "thinking-display-updates-2026-08-18"
export const hasNotes = (model: string): boolean => writesNotes.test(model)

export function bodyOf(request: ModelRequest): Body {
  return {
    model: request.model,
    max_tokens: request.maxTokens,
    stream: true,
    ...(request.tools.length > 0 ? { tools: markLast(request.tools) } : {}),
    ...(request.system.length > 0
      ? { system: markLast(request.system.map((text): Block => ({ type: "text", text }))) }
      : {}),
    messages: markMessages(request.messages),
    ...(hasNotes(request.model) ? { thinking } : {}),
  }
}

const markLast = <A extends object>(items: ReadonlyArray<A>): ReadonlyArray<A> =>
  items.map((item, at) => (at === items.length - 1 ? { ...item, cache_control: mark } : item))

function markMessages(messages: ReadonlyArray<ModelMessage>): ReadonlyArray<ModelMessage> {
  const users = messages.flatMap((message, at) => (message.role === "user" ? [at] : []))
  const marked = new Set(users.slice(-2))
  return messages.map((message, at) => (marked.has(at) ? markMessage(message) : message))
}

/** The last block that may carry a mark: the API refuses it on thinking and on empty text. */
function markMessage(message: ModelMessage): ModelMessage {
  const at = message.content.findLastIndex(
    (block) =>
      block.type !== "thinking" &&
      block.type !== "redacted_thinking" &&
      !(block.type === "text" && block["text"] === ""),
  )
  if (at === -1) return message
  return {
    ...message,
    content: message.content.map((block, index) =>
      index === at ? { ...block, cache_control: mark } : block,
    ),
  }
}
