/**
 * P6, P9: takes up a turn that the journal has as running and no process works on: after a crash, a restart, a takeover. Its
 * transcript and open steps say where it stands; what was started and not ended is unknown.
 */
import * as Effect from "effect/Effect"
import {
  Rooms,
  Roster,
  Sql,
  type Agent,
  type Door,
  type MessageEvent,
  type TurnId,
  type WorkspaceId,
} from "../../runtime/index.ts"
import type { Place } from "./Place.ts"
import {
  joinedWords,
  leftTurns,
  loadSegment,
  raiseFence,
  type LeftTurn,
  type Line,
  type Tail,
} from "./ConversationStore.ts"
import { thaw } from "./context/Frozen.ts"
import { scopesOf, tokensOf, type Budgets } from "./turn/Money.ts"
import { textOf } from "./turn/Reply.ts"
import { Workplace } from "./turn/Workplace.ts"
import { addUsage, heardBy, noUsage, type Open, type Work } from "./turn/Work.ts"

export interface Adopted {
  readonly work: Work
  readonly joined: ReadonlyArray<MessageEvent>
  readonly stop: boolean
  /** It waits, without a fiber. */
  readonly resting: boolean
  /** How often it was taken up since it last got a step further. */
  readonly attempts: number
}

export const adopt = Effect.fnUntraced(function* (place: Place) {
  const [left] = yield* leftTurns(place.agent, place.thread)
  if (left === undefined || left.fence > place.fence) return undefined
  if (left.fence < place.fence && !(yield* raiseFence(left.id, place.agent, place.fence))) return undefined
  const rooms = yield* Rooms
  const roster = yield* Roster
  const { budgets } = yield* Workplace
  const event = yield* rooms.message(left.event)
  const agent = roster.now().agents.get(place.agent)
  const door = event === undefined ? undefined : roster.now().doors.get(event.door)
  const tail = yield* loadSegment(place.agent, place.thread, left.segment)
  if (event === undefined || agent === undefined || door === undefined || tail === undefined) return undefined
  const words = yield* joinedWords(left.id)
  return {
    work: workOf({ left, agent, door, event, words, tail, ws: roster.ws, fence: place.fence, budgets }),
    joined: words.slice(left.taken),
    stop: left.stop,
    resting: left.state === "waiting",
    attempts: left.attempts,
  } satisfies Adopted
})

/** The work as it stood when the last of its statements was committed. Pure. */
export const workOf = (of: {
  readonly left: LeftTurn
  readonly agent: Agent
  readonly door: Door
  readonly event: MessageEvent
  /** All that joined, in order, taken in or not. */
  readonly words: ReadonlyArray<MessageEvent>
  readonly tail: Tail & { readonly turns: ReadonlyArray<TurnId> }
  readonly ws: WorkspaceId
  readonly fence: number
  readonly budgets: Budgets
}): Work => {
  const { left, agent, event, tail } = of
  const startedAt = Date.parse(left.startedAt)
  return {
    turn: left.id,
    ws: of.ws,
    agent,
    door: of.door,
    thread: left.thread,
    fence: of.fence,
    event,
    words: [event, ...of.words.slice(0, left.taken)],
    known: new Set([event.id, ...of.words.map((e) => e.id)]),
    edited: null,
    upTo: heardBy(tail.lines),
    scopes:
      left.open.find((s) => s.scopes !== null)?.scopes ??
      scopesOf(
        of.budgets,
        { root: left.root, agent: agent.id, thread: left.thread, ws: of.ws },
        new Date(startedAt),
      ),
    startedAt,
    resumed: true,
    segment: left.segment,
    frozen: thaw(tail.frozen),
    frozenText: tail.frozen,
    lines: [...tail.lines],
    open: openOf(left),
    step: left.lastStep,
    taken: left.taken,
    tokens: tokensOf(tail.frozen) + tokensOf(tail.lines.map((l) => l.content)),
    cost: left.cost,
    tools: left.toolCalls,
    usage: left.usages.reduce(addUsage, noUsage),
    held: heldBy(tail.lines.filter((_, i) => tail.turns[i] === left.id)),
    hold: false,
    renewed: false,
  }
}

/** The answers a running turn has not said yet: whatever it said itself that called no tool. */
const heldBy = (lines: ReadonlyArray<Line>): Array<string> =>
  lines
    .filter((l) => l.role === "assistant" && !l.content.some((b) => b.type === "tool_use"))
    .map((l) => textOf(l.content))
    .filter((text) => text !== "")

/** A turn of this process crashed: one more attempt, as if another process had taken it over. */
export const countCrash = Effect.fnUntraced(function* (place: Place) {
  const sql = yield* Sql
  yield* sql.cold(
    "update turn set attempts = attempts + 1 where agent = $1 and thread = $2 and state = 'running' and fence = $3",
    [place.agent, place.thread, place.fence],
  )
})

const openOf = (left: LeftTurn): Open => {
  const model = left.open.find((s) => s.kind === "model")
  if (model !== undefined) return { kind: "model", n: model.n, granted: model.reserved }
  if (left.open.length === 0) return { kind: "nothing" }
  return {
    kind: "tools",
    calls: left.open.map((s) => ({
      n: s.n,
      id: s.call ?? "",
      name: s.tool ?? "",
      input: JSON.parse(s.input ?? "null") as unknown,
      ...(s.state === "pending" ? { pending: true } : {}),
      ...(s.answer === null ? {} : { answer: s.answer }),
    })),
  }
}
