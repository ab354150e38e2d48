/** S2j as the conversation sees it: words that join the running turn (P5, P13). */
import * as Effect from "effect/Effect"
import { Journal, type MessageEvent } from "../../runtime/index.ts"
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
}

/** An edit asks only those it newly addresses (P1). */
export const asks = (event: MessageEvent): boolean => event.edits === null || event.slots.length > 0

/** S2j, where the word may join the turn now. */
export const join = Effect.fnUntraced(function* (
  place: Place,
  { work, joining }: Running,
  waiting: Waiting,
  word: Word,
) {
  const { event } = word
  const soon = asks(event) ? work.open.kind === "tools" : work.known.has(event.edits!)
  // P13: words join only for the person the turn acts for.
  if (!soon || event.principal !== work.event.principal || event.author.kind !== "person") return false
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
    reason: "joined what it was doing for the same person",
    events: [turnEvent(work.turn, place.agent, event.id, "joined")],
  })
  if (joined) {
    work.upTo = Math.max(work.upTo, event.pos)
    work.known.add(event.id)
    joining.add(event)
  }
  return joined
})
