/**
 * Questions that can be told apart, a model that answers each, and the checker: it compares what was sent with what the chat
 * shows, and never asks our database.
 */
import { blocksOf, say, useTool, type MessagesRequest, type Speech } from "../emulators/anthropic/index.ts"
import type { Seen } from "../emulators/telegram/index.ts"

let asked = 0
/** A new question, like `#q17`. */
export const question = (): string => `#q${++asked}`
export const answerTo = (q: string): string => `The answer to ${q}.`

/** The questions the model has not answered yet: those behind its last words to the room. */
export const openQuestions = (request: MessagesRequest): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const message of request.messages.toReversed()) {
    const blocks = blocksOf(message.content)
    if (message.role === "assistant" && !blocks.some((b) => b.type === "tool_use")) break
    if (message.role !== "user") continue
    const text = blocks.map((b) => (b.type === "text" ? String(b["text"]) : "")).join("\n")
    found.unshift(...(text.match(/#q\d+/g) ?? []))
  }
  return [...new Set(found)]
}

export const answerAll = (request: MessagesRequest, more: Partial<Speech> = {}): Speech =>
  say(openQuestions(request).map(answerTo).join("\n"), more)

/** One tool round before the answer. */
export const withTool =
  (command: string) =>
  (request: MessagesRequest): Speech =>
    blocksOf(request.messages.at(-1)?.content).some((b) => b.type === "tool_result")
      ? answerAll(request)
      : useTool("shell", { command })

export interface Verdict {
  /** Questions without a finished answer. */
  readonly lost: ReadonlyArray<string>
  /** Questions whose answer stands, or once stood, in more than one message. */
  readonly twice: ReadonlyArray<string>
  /** Answers that stand before the answer to an earlier question. */
  readonly disorder: ReadonlyArray<string>
  /** Placeholders that nothing came of. */
  readonly strays: number
  /** Other words of the bot. */
  readonly odd: ReadonlyArray<string>
}

export const judge = (seen: ReadonlyArray<Seen>, questions: ReadonlyArray<string>): Verdict => {
  const bot = seen.filter((m) => m.from.isBot)
  const places = questions.map((q) => bot.filter((m) => [m.text, ...m.edits].some((t) => says(t, q))))
  const final = questions.map((q) => bot.findIndex((m) => says(m.text, q) && !m.text.endsWith("…")))
  return {
    lost: questions.filter((_, i) => final[i] === -1),
    twice: questions.filter((_, i) => places[i]!.length > 1 || count(bot, questions[i]!) > 1),
    disorder: questions.filter((_, i) => final[i]! < Math.max(-1, ...final.slice(0, i))),
    strays: bot.filter((m) => m.text === "…").length,
    odd: bot.filter((m) => m.text !== "…" && !questions.some((q) => says(m.text, q))).map((m) => m.text),
  }
}

export const clean = { lost: [], twice: [], disorder: [], strays: 0, odd: [] } satisfies Verdict

const says = (text: string, q: string) => text.includes(answerTo(q))
const count = (bot: ReadonlyArray<Seen>, q: string) =>
  bot.reduce((n, m) => n + m.text.split(answerTo(q)).length - 1, 0)
