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

/** What the model is to answer: the words its turn is about, and those said while it works. */
export const openQuestions = (request: MessagesRequest): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const message of request.messages.toReversed()) {
    const blocks = blocksOf(message.content)
    if (message.role === "assistant" && !blocks.some((b) => b.type === "tool_use")) break
    if (message.role !== "user") continue
    const words = blocks.map((b) => String(b["text"] ?? "")).filter((text) => text.startsWith("<message "))
    const joined = words.filter((text) => text.includes('note="said while you work"'))
    const led = words.findLast((text) => !text.split(">")[0]!.includes("note="))
    found.unshift(...[led, ...joined].flatMap((text) => text?.match(/#q\d+/g) ?? []))
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
  /** Messages that stand behind the message for a later question; what joined a turn goes with the question it joined. */
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
    disorder: disordered(bot, questions),
    strays: bot.filter(isPlaceholder).length,
    odd: bot.filter((m) => !isPlaceholder(m) && !questions.some((q) => says(m.text, q))).map((m) => m.text),
  }
}

export const clean = { lost: [], twice: [], disorder: [], strays: 0, odd: [] } satisfies Verdict

const disordered = (bot: ReadonlyArray<Seen>, questions: ReadonlyArray<string>) => {
  const firsts = bot.map((m) => questions.findIndex((q) => says(m.text, q))).filter((first) => first !== -1)
  return firsts.filter((first, i) => first < Math.max(-1, ...firsts.slice(0, i))).map((i) => questions[i]!)
}

/** Where several agents speak, with the name of one. */
const isPlaceholder = (m: Seen) => /^(?:\w+\n)?…$/.test(m.text)
const says = (text: string, q: string) => text.includes(answerTo(q))
const count = (bot: ReadonlyArray<Seen>, q: string) =>
  bot.reduce((n, m) => n + m.text.split(answerTo(q)).length - 1, 0)
