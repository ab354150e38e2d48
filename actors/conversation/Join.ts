/** S2j as the conversation sees it: words that join the running turn (P5, P13). */
import * as Effect from "effect/Effect"
import { Journal, type MessageEvent, type Mode } from "../../runtime/index.ts"
import type { Place } from "./Place.ts"
import { dueBefore } from "./ConversationStore.ts"
import type { JoinQueue } from "./JoinQueue.ts"
import type { Word } from "./Messages.ts"
import { turnEvent } from "./turn/TurnEvent.ts"
import type { Work } from "./turn/Work.ts"
import { find, type Waiting } from "./Waiting.ts"

export interface Running {
  readonly work: Work
  readonly joining: JoinQueue
  /** The turn waits, without a fiber: what joins now is taken in when it goes on. */
  readonly resting?: boolean
}

/** How these words reach an agent at work. */
export const modeOf = ({ mode }: MessageEvent, { agent, door }: Work): Mode =>
  mode ?? agent.steering ?? door.steering

/** An edit asks only those it newly addresses (P1). */
export const asks = (event: MessageEvent): boolean => event.edits === null || event.slots.length > 0

/** S2j, where the word may join the turn now. */
export const join = Effect.fnUntraced(function* (
  place: Place,
  { work, joining, resting = false }: Running,
  waiting: Waiting,
  word: Word,
) {
  const { event } = word
  const mode = modeOf(event, work)
  const soon = asks(event)
    ? mode !== "queue" && (work.open.kind === "tools" || resting || mode === "interrupt")
    : work.known.has(event.edits!)
  if (!soon) return false
  if (asks(event) && event.prev > work.upTo) {
    // P2: whoever stands before it and was not heard yet goes first. Those who wait here do so for another reason.
    const before = yield* dueBefore({ ...place, ws: work.ws, pos: event.pos })
    if (before.some((id) => find(waiting, id) === undefined)) return false
  }
  const journal = yield* Journal
  const joined = yield* journal.join({
    ws: work.ws,
    event: event.id,
    slot: word.slot,
    agent: place.agent,
    thread: place.thread,
    door: work.door.id,
    turn: work.turn,
    fence: place.fence,
    reason: "joined what it was doing",
    // P13: the statement lets words join only whose author may speak for the person the turn acts for.
    person: event.principal,
    events: [turnEvent(work.turn, place.agent, event.id, "joined")],
  })
  if (joined) {
    work.upTo = Math.max(work.upTo, event.pos)
    work.known.add(event.id)
    joining.add(event)
  }
  return joined
})
