/**
 * How a turn opens: the segment it continues or starts, the words it was not told yet, and the money to reserve. Only words the
 * conversation missed are read from the log; the message itself is what the bus delivered (unless it was cut).
 */
import * as Effect from "effect/Effect"
import type { Block } from "../../integrations/anthropic/index.ts"
import { Rooms, type Agent, type Door, type MessageEvent } from "../../runtime/index.ts"
import { frozenFor, type Frozen } from "./context/Frozen.ts"
import { pictures } from "./context/Pictures.ts"
import { messageBlock, roomBlock } from "./context/Words.ts"
import { broken, type Line, type Tail } from "./ConversationStore.ts"
import { tokensOf } from "./turn/Money.ts"
import { toolsFor } from "./turn/Permissions.ts"
import { Workplace } from "./turn/Workplace.ts"

/** Room words shown when a segment starts, and at most at once later. */
const mostWords = 40

export interface Opening {
  readonly segment: number
  readonly frozen: Frozen
  readonly frozenText: string
  /** The segment starts with this turn. */
  readonly fresh: boolean
  /** What stands in the segment already. */
  readonly before: ReadonlyArray<Line>
  /** The new user line. */
  readonly line: Line
  readonly tokens: number
  /** Words it was not told yet may ask this agent. */
  readonly asked: boolean
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
  const { text, frozen } = frozenFor(agent, modelOf(agent), toolsFor(agent, tools))
  const goesOn = tail !== undefined && tail.frozen === text
  // A new segment shows the room again, unless what was said there broke the one before.
  const heard = goesOn || tail?.frozen === broken ? tail.heard : 0

  const event = of.event.truncated === true ? ((yield* rooms.message(of.event.id)) ?? of.event) : of.event
  const room = event.prev > heard ? yield* rooms.words(event.thread, heard, event.pos, mostWords) : []
  // What it said itself, and what joined its last turn, stands in the transcript.
  const missed = goesOn
    ? room.filter((w) => !tail.told.has(w.id) && (w.author.kind !== "agent" || w.author.id !== agent.id))
    : room
  const others = door.members.map((m) => m.agent).filter((a) => a.id !== agent.id)
  const content: ReadonlyArray<Block> = [
    roomBlock({
      self: agent,
      others,
      under: others.length === 0 ? [] : yield* rooms.under(event.thread, agent.id),
      at: event.at,
      reason: of.reason,
    }),
    ...missed.map((w) =>
      w.edits === null ? messageBlock(w) : messageBlock(w, "an edit of what was said before"),
    ),
    messageBlock(event),
    ...(yield* pictures(event)),
  ]
  const line: Line = { role: "user", content, heard: Math.max(heard, event.pos) }
  const before = goesOn ? tail.lines : []
  const tokens =
    (goesOn ? (of.tailTokens ?? tokensOf(text) + tokensOf(before)) : tokensOf(text)) + tokensOf(content)
  return {
    segment: goesOn ? tail.segment : (tail?.segment ?? 0) + 1,
    frozen,
    frozenText: text,
    fresh: !goesOn,
    before,
    line,
    tokens,
    asked: room.length === mostWords || room.some((w) => w.slots.includes(agent.id)),
  } satisfies Opening
})
