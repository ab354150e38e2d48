/**
 * How a turn opens: the segment it continues or starts, the words it was not told yet, and the money to reserve. Only words the
 * conversation missed are read from the log; the message itself is what the bus delivered (unless it was cut).
 */
import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import type { Block } from "../../integrations/anthropic/index.ts"
import { Blobs, Rooms, type Agent, type Door, type MessageEvent } from "../../runtime/index.ts"
import { freeze, thaw, type Frozen } from "./context/Frozen.ts"
import { messageBlock, roomBlock, seesImage } from "./context/Words.ts"
import type { Line, Tail } from "./ConversationStore.ts"
import { tokensOf } from "./turn/Money.ts"
import { Workplace } from "./turn/Turn.ts"

/** Room words shown when a segment starts, and at most at once later. */
const mostWords = 40

export interface Opening {
  readonly segment: number
  readonly frozen: Frozen
  /** The exact text when the segment is new. */
  readonly frozenText: string | null
  /** What stands in the segment already. */
  readonly before: ReadonlyArray<Line>
  /** The new user line. */
  readonly line: Line
  readonly tokens: number
}

export const openTurn = Effect.fnUntraced(function* (of: {
  readonly agent: Agent
  readonly door: Door
  readonly event: MessageEvent
  readonly reason: string
  readonly tail: Tail | undefined
  /** Tokens of the tail as the last call counted them. */
  readonly tailTokens: number | undefined
}) {
  const rooms = yield* Rooms
  const { tools, modelOf } = yield* Workplace
  const { agent, door, tail } = of
  const text = freeze(
    agent,
    modelOf(agent),
    [...tools.values()].map((t) => t.spec),
  )
  const goesOn = tail !== undefined && tail.frozen === text
  const heard = goesOn ? (tail.lines[tail.lines.length - 1]?.heard ?? 0) : 0

  const event = of.event.truncated === true ? ((yield* rooms.message(of.event.id)) ?? of.event) : of.event
  const missed =
    event.prev > heard
      ? (yield* rooms.words(event.thread, heard, event.pos, mostWords)).filter(
          // What it said itself stands in the transcript.
          (w) => !goesOn || w.author.kind !== "agent" || w.author.id !== agent.id,
        )
      : []
  const content: ReadonlyArray<Block> = [
    roomBlock({
      title: door.name,
      self: agent,
      others: door.members.map((m) => m.agent).filter((a) => a.id !== agent.id),
      at: event.at,
      reason: of.reason,
    }),
    ...missed.map((w) => messageBlock(w)),
    messageBlock(event),
    ...(yield* pictures(event)),
  ]
  const line: Line = { role: "user", content, heard: event.pos }
  const before = goesOn ? tail.lines : []
  const tokens =
    (goesOn ? (of.tailTokens ?? tokensOf(text) + tokensOf(before)) : tokensOf(text)) + tokensOf(content)
  return {
    segment: goesOn ? tail.segment : (tail?.segment ?? 0) + 1,
    frozen: thaw(text),
    frozenText: goesOn ? null : text,
    before,
    line,
    tokens,
  } satisfies Opening
})

const pictures = Effect.fnUntraced(function* (event: MessageEvent) {
  const blobs = yield* Blobs
  return yield* Effect.forEach(event.attachments.filter(seesImage), (a) =>
    Effect.map(blobs.read(a.blob!), (blob) => (blob === undefined ? [] : [imageBlock(a.mime, blob.bytes)])),
  ).pipe(Effect.map((found) => found.flat()))
})

const imageBlock = (mime: string, bytes: Uint8Array): Block => ({
  type: "image",
  source: { type: "base64", media_type: mime, data: Buffer.from(bytes).toString("base64") },
})
