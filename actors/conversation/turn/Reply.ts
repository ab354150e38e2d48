/** What a model's reply says, as the turn needs it. Pure. */
import type { Block, ModelReply } from "../../../integrations/anthropic/index.ts"
import type { Line } from "../ConversationStore.ts"
import { resultBlock, type Ran } from "./RunTools.ts"
import type { ToolCall } from "./Work.ts"

export const toolCalls = (answer: ModelReply, lastStep: number): ReadonlyArray<ToolCall> =>
  answer.content
    .filter((b) => b.type === "tool_use")
    .map((b, i) => ({ n: lastStep + 1 + i, id: String(b["id"]), name: String(b["name"]), input: b["input"] }))

export const textOf = (content: ReadonlyArray<Block>): string =>
  content
    .filter((b) => b.type === "text")
    .map((b) => String(b["text"]))
    .join("")
    .trim()

/**
 * P12: the reply as a line of the transcript that may be sent back: thinking at its end is refused, and thinking alone is no
 * answer. Calls that were not run are answered, all of them, in the line behind it.
 */
export const linesOf = (
  answer: ModelReply,
  heard: number,
  notRun: ReadonlyArray<ToolCall>,
): ReadonlyArray<Line> => {
  const content = answer.content.slice(0, answer.content.findLastIndex(isSaid) + 1)
  if (content.length === 0) return []
  const results = notRun.map((call) => resultBlock({ call, result: cutOff }))
  return [
    { role: "assistant", content, heard },
    ...(results.length === 0 ? [] : [{ role: "user", content: results, heard } as const]),
  ]
}

/** What is said in the room, where the reply ends the turn. */
export const wordsOf = (held: ReadonlyArray<string>, answer: ModelReply): string => {
  const said = [...held, textOf(answer.content)].filter((t) => t !== "").join("\n\n")
  const cut = answer.stopReason === "max_tokens" || answer.stopReason === "model_context_window_exceeded"
  if (said === "")
    return cut
      ? 'I reached the length limit before there was an answer. Say "continue" and I go on.'
      : "Done; there is nothing to add."
  return cut ? `${said}\n\n(Cut at the length limit. Say "continue" for the rest.)` : said
}

/** The whole of the call: what it was sent and what it said is the prompt of the next. */
export const promptTokens = ({ usage }: ModelReply): number =>
  usage.input + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h + usage.output

const isSaid = (block: Block) => block.type !== "thinking" && block.type !== "redacted_thinking"

const cutOff: Ran["result"] = {
  content: "the message was cut off here, this was not run; send it again, shorter",
  ok: false,
  exitCode: null,
}
