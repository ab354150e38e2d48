/**
 * One (agent, thread): the transcript's tail and the running turn, in memory; everything in it can be read again from Postgres.
 * Words begin a turn, join the running one, or wait for it (P5, P13). The turn is a fiber of this actor, so that the mailbox
 * stays responsive; the actor passivates when nothing happens.
 *
 * When the store fails in the middle, the outcome of a statement is unknown: memory is dropped and the journal says where the
 * turn stands. Words whose delivery was not acknowledged come again by themselves.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Model } from "../../integrations/anthropic/index.ts"
import {
  Actor,
  Journal,
  Rooms,
  type Blobs,
  type Bus,
  type Courier,
  type Roster,
  type Sql,
  type StoreError,
  type AgentId,
  type EventId,
  type MessageEvent,
  type ThreadId,
} from "../../runtime/index.ts"
import { adopt, countCrash } from "./Adopt.ts"
import { begin, type Memory } from "./Begin.ts"
import { JoinQueue } from "./JoinQueue.ts"
import type { Message, Word } from "./Messages.ts"
import { stopTurn } from "./StopTurn.ts"
import { live } from "./turn/Live.ts"
import { runTurn, type Ended, type Workplace } from "./turn/Turn.ts"
import { turnEvent } from "./turn/TurnEvent.ts"
import type { Work } from "./turn/Work.ts"

export interface Place {
  readonly agent: AgentId
  readonly thread: ThreadId
  /** The fence of the agent's lease. */
  readonly fence: number
}

interface State {
  readonly memory: Memory
  readonly running: { readonly work: Work; readonly joining: JoinQueue } | undefined
  /** Words that wait for the running turn, oldest first. */
  readonly waiting: ReadonlyArray<Word>
}

type Ctx = Actor.Ctx<Message>

/** What a conversation works with. */
export type Needs = Blobs | Bus | Courier | Journal | Model | Rooms | Roster | Sql | Workplace

const unread: Memory = { tail: undefined, tokens: undefined }
/** The third crash of one turn parks it (P11). */
const mostAttempts = 3

export const conversation = (place: Place) => ({
  init: () => Effect.succeed<State>({ memory: unread, running: undefined, waiting: [] }),
  receive: (state: State, message: Message, ctx: Ctx) =>
    react(place, state, message, ctx).pipe(
      Effect.catchTag("StoreError", (error) =>
        Effect.gen(function* () {
          yield* Effect.logWarning(`${place.agent}: ${error.message}; the journal is read again.`)
          yield* ctx.interruptTurn()
          yield* ctx.after("500 millis", { type: "resume" })
          return { ...state, memory: unread, running: undefined }
        }),
      ),
    ),
  supervise: () => Effect.succeed("restart" as const),
  idleAfter: "10 minutes" as const,
  capacity: 1000,
})

const react = Effect.fnUntraced(function* (place: Place, state: State, message: Message, ctx: Ctx) {
  switch (message.type) {
    case "word":
      return yield* onWord(place, state, message.word, ctx)
    case "late":
      return yield* onLate(place, state, message.event)
    case "resume":
      return yield* resume(place, state, ctx)
    case "stop": {
      const { running } = state
      if (running?.work.turn !== message.turn) return state
      yield* ctx.interruptTurn()
      const written = yield* stopTurn(running.work, "stopped")
      return yield* onEnded(place, state, { next: written.next, broken: false }, ctx)
    }
    case "ended": {
      const { exit } = message
      if (Exit.isSuccess(exit)) return yield* onEnded(place, state, exit.value, ctx)
      yield* Effect.logError("a turn crashed; the journal says where it stands", exit.cause)
      yield* countCrash(place)
      return yield* resume(place, { ...state, memory: unread, running: undefined }, ctx)
    }
  }
})

const onWord = Effect.fnUntraced(function* (place: Place, state: State, word: Word, ctx: Ctx) {
  const { event } = word
  const asks = event.edits === null || event.slots.length > 0
  if (state.running === undefined) {
    if (asks) return yield* open(place, state, word, ctx)
    word.ack()
    return state
  }
  const { work, joining } = state.running
  const known = work.event.id === event.id || state.waiting.some((w) => w.event.id === event.id)
  if (known) return state
  // P13: words join only for the person the turn acts for.
  const mayJoin = event.principal === work.event.principal && event.author.kind === "person"
  if (mayJoin) {
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
      joining.add(event)
      word.ack()
      return state
    }
  }
  if (!asks) {
    word.ack()
    return state
  }
  yield* ctx.after("1 second", { type: "late", event: event.id })
  return { ...state, waiting: [...state.waiting, word] }
})

/** S2q: a word that still waits after a second is marked, and its delivery acknowledged. */
const onLate = Effect.fnUntraced(function* (place: Place, state: State, event: EventId) {
  const word = state.waiting.find((w) => w.event.id === event)
  if (word === undefined) return state
  const journal = yield* Journal
  yield* journal.queue({
    event,
    slot: word.slot,
    agent: place.agent,
    reason: "waits for what it is doing now",
  })
  word.ack()
  return state
})

const open = Effect.fnUntraced(function* (place: Place, state: State, word: Word, ctx: Ctx) {
  const begun = yield* begin(place, state.memory, word)
  switch (begun.status) {
    case "fenced":
      // Not ours any more: whoever owns the agent now hears it too.
      return state
    case "busy": {
      yield* ctx.after("1 second", { type: "late", event: word.event.id })
      return yield* resume(place, { ...state, waiting: [...state.waiting, word] }, ctx)
    }
    case "over":
      word.ack()
      return yield* nextWaiting(place, state, null, ctx)
    case "began":
      word.ack()
      return yield* start(state, begun.work, [], ctx)
  }
})

const start = Effect.fnUntraced(function* (
  state: State,
  work: Work,
  joined: ReadonlyArray<MessageEvent>,
  ctx: Ctx,
) {
  const joining = new JoinQueue(joined)
  const words = yield* live({ ...work, agent: work.agent.id })
  yield* ctx.startTurn(runTurn(work, words, joining), (exit): Message => ({ type: "ended", exit }))
  return { ...state, running: { work, joining } }
})

const onEnded = Effect.fnUntraced(function* (place: Place, state: State, ended: Ended, ctx: Ctx) {
  const work = state.running?.work
  const over = {
    ...state,
    running: undefined,
    memory: work === undefined ? state.memory : remember(work, ended),
  }
  return yield* nextWaiting(place, over, ended.next ?? null, ctx)
})

/** A broken segment is never continued: nothing equals its frozen text, so the next turn starts the next segment. */
const remember = (work: Work, ended: Ended): Memory => {
  if (ended.next === undefined) return unread
  const frozen = ended.broken ? "" : JSON.stringify(work.frozen)
  return { tail: { segment: work.segment, frozen, lines: work.lines }, tokens: work.tokens }
}

/** The oldest word that waits, in memory or queued in the journal, begins its own turn. */
const nextWaiting = Effect.fnUntraced(function* (
  place: Place,
  state: State,
  queued: string | null,
  ctx: Ctx,
): Effect.fn.Return<State, StoreError, Needs> {
  const [word, ...waiting] = state.waiting
  if (word !== undefined) return yield* open(place, { ...state, waiting }, word, ctx)
  if (queued === null) return state
  const rooms = yield* Rooms
  const event = yield* rooms.message(queued as EventId)
  if (event === undefined) return state
  const slot = event.slots.includes(place.agent) ? place.agent : "*"
  return yield* open(
    place,
    state,
    { event, slot, reason: "waited for an earlier turn", ranking: [], ack: () => {} },
    ctx,
  )
})

const resume = Effect.fnUntraced(function* (place: Place, state: State, ctx: Ctx) {
  if (state.running !== undefined) return state
  const adopted = yield* adopt(place)
  if (adopted === undefined) return yield* nextWaiting(place, state, null, ctx)
  const { work, joined } = adopted
  const reason = adopted.stop
    ? "stopped"
    : adopted.attempts >= mostAttempts
      ? "interrupted too often"
      : undefined
  if (reason === undefined) return yield* start(state, work, joined, ctx)
  work.taken += joined.length
  const written = yield* stopTurn(work, reason)
  return yield* onEnded(
    place,
    { ...state, running: { work, joining: new JoinQueue([]) } },
    { next: written.next, broken: false },
    ctx,
  )
})
