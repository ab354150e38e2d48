/**
 * S2 as the conversation sees it: opens a turn for a word. What comes back is the work of a turn that is committed, or why
 * there is none.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import {
  Courier,
  Journal,
  newId,
  Roster,
  type AgentId,
  type BegunRow,
  type TurnId,
} from "../../runtime/index.ts"
import type { Memory } from "./Memory.ts"
import type { Place } from "./Place.ts"
import { dueBefore, loadTail, type Line } from "./ConversationStore.ts"
import { messageBlock } from "./context/Words.ts"
import type { Word } from "./Messages.ts"
import { openTurn } from "./Opening.ts"
import { scopesOf, tokensOf, toReserve } from "./turn/Money.ts"
import { turnEvent } from "./turn/TurnEvent.ts"
import { Workplace } from "./turn/Workplace.ts"
import { heardBy, noUsage, rowsFor, type Work } from "./turn/Work.ts"

export type Begun =
  | { readonly status: "began"; readonly work: Work }
  /** Another leads, the agent left, or this process lost it: nothing to do. */
  | { readonly status: "over" | "fenced" }
  /** The journal has a running turn here that this memory does not know. */
  | { readonly status: "busy" }
  /** P2: words that stand before these ask it too, and were not heard yet. They are due, so they come. */
  | { readonly status: "early" }

export const begin = Effect.fnUntraced(function* (place: Place, memory: Memory, word: Word) {
  const journal = yield* Journal
  const roster = yield* Roster
  const { budgets } = yield* Workplace
  const { event } = word
  const door = roster.now().doors.get(event.door)
  const agent = roster.now().agents.get(place.agent)
  if (door === undefined || agent === undefined) return { status: "over" } satisfies Begun
  const started = yield* Clock.currentTimeMillis
  const tail =
    memory.tail !== undefined
      ? memory.tail
      : isFirst(word, started)
        ? null
        : ((yield* loadTail(place.agent, place.thread)) ?? null)
  const opening = yield* openTurn({
    agent,
    door,
    event,
    reason: word.reason,
    tail: tail ?? undefined,
    tailTokens: memory.tokens,
  })
  if (opening.asked && (yield* dueBefore({ ...place, ws: roster.ws, pos: event.pos })).length > 0)
    return { status: "early" } satisfies Begun
  const now = yield* Clock.currentTimeMillis
  const turn = newId<TurnId>(now)
  const scopes = scopesOf(budgets, { ...place, root: event.root, ws: roster.ws }, new Date(now))
  const money = toReserve(budgets, opening.frozen.model, opening.tokens, new Date(now))
  const signature = door.members.length > 1 ? agent.name : ""
  const begun = yield* journal.begin({
    ws: roster.ws,
    event: event.id,
    slot: word.slot,
    agent: place.agent,
    thread: place.thread,
    door: door.id,
    fence: place.fence,
    turn,
    principal: event.principal,
    root: event.root,
    hop: event.hop,
    segment: opening.segment,
    reason: word.reason,
    evidence: { ranking: word.ranking },
    wanted: money?.wanted ?? 0,
    least: money?.least ?? 0,
    scopes,
    frozen: opening.fresh ? opening.frozenText : null,
    rows: [
      {
        n: opening.before.length + 1,
        role: "user",
        content: JSON.stringify(opening.line.content),
        heard: opening.line.heard,
      },
    ],
    signature: door.platform ? signature : null,
    events: [
      {
        body: {
          kind: "intent",
          message: event.id,
          slot: word.slot,
          leader: place.agent,
          verdict: "lead",
          reason: word.reason,
          ranking: word.ranking as ReadonlyArray<AgentId>,
        },
      },
      turnEvent(turn, place.agent, event.id, "started"),
    ],
  })
  if (begun.status === "lost") return { status: "over" } satisfies Begun
  if (begun.status !== "began") return { status: begun.status } satisfies Begun

  if (begun.parcel !== null) {
    const courier = yield* Courier
    courier.send({
      ...begun.parcel,
      turn,
      part: 0,
      door: door.id,
      thread: place.thread,
      agent: place.agent,
      signature,
      platformId: null,
      text: null,
    })
  }
  const work: Work = {
    turn,
    ws: roster.ws,
    agent,
    door,
    thread: place.thread,
    fence: place.fence,
    event,
    words: [event],
    known: new Set([event.id]),
    edited: begun.edited?.id ?? null,
    upTo: opening.line.heard,
    scopes,
    startedAt: now,
    resumed: false,
    segment: opening.segment,
    frozen: opening.frozen,
    frozenText: opening.frozenText,
    lines: [...opening.before, opening.line],
    open: begun.granted === null ? { kind: "nothing" } : { kind: "model", n: 1, granted: begun.granted },
    step: begun.granted === null ? 0 : 1,
    taken: 0,
    tokens: opening.tokens,
    cost: 0,
    tools: 0,
    usage: noUsage,
    held: [],
    hold: false,
    renewed: false,
  }
  if (begun.edited !== null) yield* addEdit(work, begun.edited)
  return { status: "began", work } satisfies Begun
})

/**
 * The first words of a room, heard for the first time, have nothing before them. When they come again, later words may have been
 * answered already.
 */
const isFirst = ({ event, again }: Word, now: number) =>
  event.prev === 0 && event.repair === undefined && again !== true && now - Date.parse(event.at) < 3_000

/** P1: an edit that came before the decision replaces the text: it stands behind the words it corrects. */
const addEdit = Effect.fnUntraced(function* (work: Work, edit: NonNullable<BegunRow["edited"]>) {
  const journal = yield* Journal
  const heard = heardBy(work.lines)
  const line: Line = {
    role: "user",
    content: [
      messageBlock({ ...work.event, text: edit.text }, "an edit of the message before; this text holds"),
    ],
    heard: edit.prev <= heard ? edit.pos : heard,
  }
  yield* journal.advance({
    turn: work.turn,
    agent: work.agent.id,
    thread: work.thread,
    door: work.door.id,
    segment: work.segment,
    fence: work.fence,
    taken: 0,
    ended: [],
    started: [],
    wanted: null,
    least: 0,
    scopes: [],
    release: [],
    rows: rowsFor(work, [line]),
    frozen: null,
    events: [],
  })
  work.lines.push(line)
  work.tokens += tokensOf(line.content)
})
