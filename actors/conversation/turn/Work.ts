/**
 * A turn at work: where its journal stands. One mutable record a turn, written by the loop and read by whoever stops it.
 * `lines` is the transcript of the segment as it is stored; consecutive lines of one role are one message when sent.
 */
import type { Block, ModelMessage } from "../../../integrations/anthropic/index.ts"
import type {
  Agent,
  BudgetScope,
  Door,
  MessageEvent,
  ThreadId,
  TranscriptRow,
  TurnId,
  Usage,
  WorkspaceId,
} from "../../../runtime/index.ts"
import type { Line } from "../ConversationStore.ts"
import type { Frozen } from "../context/Frozen.ts"

export interface ToolCall {
  readonly n: number
  readonly id: string
  readonly name: string
  readonly input: unknown
  /** It was not started: it waits, or waited, for permission. */
  readonly pending?: boolean
  /** What a person answered, where permission was asked. */
  readonly answer?: "yes" | "no" | "expired"
}

/** What the journal has as started and not ended: a model call with the money reserved for it, tools, or nothing. */
export type Open =
  | { readonly kind: "model"; readonly n: number; readonly granted: number }
  | { readonly kind: "tools"; readonly calls: ReadonlyArray<ToolCall> }
  | { readonly kind: "nothing" }

export interface Work {
  readonly turn: TurnId
  readonly ws: WorkspaceId
  readonly agent: Agent
  readonly door: Door
  readonly thread: ThreadId
  readonly fence: number
  /** The message that is led. */
  readonly event: MessageEvent
  /** What the transcript of the turn has of the room: the message that is led, then the words that joined. */
  readonly words: Array<MessageEvent>
  /** Ids of all words that are in this turn or will be: the message led, and what joined. */
  readonly known: Set<string>
  /** The edit of the message led that it began with. */
  readonly edited: string | null
  readonly scopes: ReadonlyArray<BudgetScope>
  readonly startedAt: number
  /** Taken up from the journal: what is open was started by an earlier life. */
  readonly resumed: boolean
  /** P2: no words before this position ask the agent and are still to come. */
  upTo: number
  segment: number
  frozen: Frozen
  /** The exact text of `frozen`. */
  readonly frozenText: string
  lines: Array<Line>
  open: Open
  /** The number of the last step. */
  step: number
  taken: number
  /** Tokens of the prompt, as far as they are known: the last usage, and an estimate of what was added since. */
  tokens: number
  /** Micro-dollars. */
  cost: number
  tools: number
  usage: Usage
  /** Answers that were ready when more words came, or paused: they are said together with the last. */
  held: Array<string>
  /** It was told to wait: it rests before it does anything else. */
  hold: boolean
  /** A new segment was started in this turn already. */
  renewed: boolean
}

export const noUsage: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 }

export const addUsage = (a: Usage, b: Usage): Usage => ({
  input: a.input + b.input,
  output: a.output + b.output,
  cacheRead: a.cacheRead + b.cacheRead,
  cacheWrite5m: a.cacheWrite5m + b.cacheWrite5m,
  cacheWrite1h: a.cacheWrite1h + b.cacheWrite1h,
})

/** The messages to send: lines of one role in a row are one message. */
export const messagesOf = (lines: ReadonlyArray<Line>): ReadonlyArray<ModelMessage> => {
  const messages: Array<{ role: "user" | "assistant"; content: Array<Block> }> = []
  for (const line of lines) {
    const last = messages[messages.length - 1]
    if (last?.role === line.role) last.content.push(...line.content)
    else messages.push({ role: line.role, content: [...line.content] })
  }
  return messages
}

/** The rows that add `lines` to the transcript of the work; they are part of it once they are committed. */
export const rowsFor = (work: Work, lines: ReadonlyArray<Line>): ReadonlyArray<TranscriptRow> =>
  lines.map((line, i) => ({
    n: work.lines.length + 1 + i,
    role: line.role,
    content: JSON.stringify(line.content),
    heard: line.heard,
  }))

export const heardBy = (lines: ReadonlyArray<Line>): number => lines[lines.length - 1]?.heard ?? 0

/** How far the room was told without a gap, when these words are told as well. */
export const heardWith = (heard: number, words: ReadonlyArray<MessageEvent>): number =>
  words.reduce((upTo, w) => (w.prev <= upTo ? Math.max(upTo, w.pos) : upTo), heard)
