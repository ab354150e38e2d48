/**
 * One (agent, thread): the transcript's tail and the running turn, in memory; everything in it can be read again from Postgres.
 * The turn is a fiber of this actor, so that the mailbox stays responsive; the actor passivates when nothing happens.
 *
 * Words begin a turn when none runs. Else they join it while its tools run (P5, P13): then they will be taken in with the
 * results. Words that come while the model speaks wait for that: if the turn ends first, each begins its own turn, in order, so
 * that a fast burst is never merged. An edit of words in the turn joins at once. Where the words, the agent or the door say
 * so, words always wait (`queue`), or cut off what runs (`interrupt`). Words for a turn that rests join it, and wait with it.
 *
 * When the store fails in the middle, the outcome of a statement is unknown: memory is dropped and the journal says where the
 * turn stands. Words whose delivery was not acknowledged come again by themselves.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Model } from "../../integrations/anthropic/index.ts"
import {
  Actor,
  Journal,
  StoreError,
  triageSlot,
  type Blobs,
  type Bus,
  type Courier,
  type Rooms,
  type Roster,
  type Sql,
  type EventId,
  type MessageEvent,
} from "../../runtime/index.ts"
import { adopt, countCrash, type Adopted } from "./Adopt.ts"
import { begin } from "./Begin.ts"
import { unread, type Memory } from "./Memory.ts"
import type { Place } from "./Place.ts"
import { queuedWord } from "./ConversationStore.ts"
import { asks, join, modeOf, type Running } from "./Join.ts"
import { JoinQueue } from "./JoinQueue.ts"
import type { Message, Word } from "./Messages.ts"
import { parkWord } from "./ParkWord.ts"
import { remember } from "./Remember.ts"
import { stopTurn } from "./StopTurn.ts"
import { triage } from "./Triage.ts"
import { live } from "./turn/Live.ts"
import { done, runTurn, type Ended } from "./turn/Turn.ts"
import type { Work } from "./turn/Work.ts"
import type { Workplace } from "./turn/Workplace.ts"
import { find, insert, without, type Waiting } from "./Waiting.ts"

/** A place, with what outlives a crash of its actor: how often each word could not be taken up. */
interface Home extends Place {
  readonly failures: Map<EventId, number>
  /** Words for which a model finds whom to ask. */
  readonly triaging: Set<EventId>
}

interface State {
  readonly memory: Memory
  readonly running: Running | undefined
  readonly waiting: Waiting
}

type Ctx = Actor.Ctx<Message>

/** What a conversation works with. */
export type Needs = Blobs | Bus | Courier | Journal | Model | Rooms | Roster | Sql | Workplace

/** The third crash of one turn, or of taking up one word, parks it (P11). */
const mostAttempts = 3

export const conversation = (place: Place) => {
  const home: Home = { ...place, failures: new Map(), triaging: new Set() }
  let lives = 0
  return {
    init: (ctx: Ctx) =>
      Effect.sync((): State => {
        // What an earlier life had running was interrupted with it.
        if (lives++ > 0) Actor.tell(ctx.self, { type: "resume" })
        return { memory: unread, running: undefined, waiting: [] }
      }),
    receive: (state: State, message: Message, ctx: Ctx) =>
      react(home, state, message, ctx).pipe(
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
  }
}

/** The store is away: nobody's fault, and it passes. */
const isUnavailable = (cause: Cause.Cause<unknown>): boolean =>
  Option.match(Cause.findErrorOption(cause), {
    onNone: () => Cause.hasInterruptsOnly(cause),
    onSome: (error) => error instanceof StoreError && error.kind === "unavailable",
  })

const react = Effect.fnUntraced(function* (place: Home, state: State, message: Message, ctx: Ctx) {
  switch (message.type) {
    case "word":
      return yield* onWord(place, state, message.word, ctx).pipe(
        Effect.catchCause((cause) =>
          isUnavailable(cause)
            ? Effect.failCause(cause)
            : onFailedWord(place, state, message.word, cause, ctx),
        ),
      )
    case "late":
      return yield* onLate(place, state, message.event)
    case "boundary":
      return yield* onBoundary(place, state)
    case "resume":
      return state.running === undefined || state.running.resting === true
        ? yield* resume(place, { ...state, running: undefined }, ctx)
        : state
    case "stop":
      return yield* onStop(place, state, message.turn, ctx)
    case "ended": {
      const { exit } = message
      if (Exit.isSuccess(exit)) return yield* onEnded(place, state, exit.value, ctx)
      if (isUnavailable(exit.cause)) {
        yield* Effect.logWarning(
          "the store went away in the middle of a turn; the journal says where it stands",
        )
      } else {
        yield* Effect.logError("a turn crashed; the journal says where it stands", exit.cause)
        yield* countCrash(place)
      }
      return yield* resume(place, { ...state, memory: unread, running: undefined }, ctx)
    }
  }
})

const onWord = Effect.fnUntraced(function* (place: Home, state: State, word: Word, ctx: Ctx) {
  const { event } = word
  const { running } = state
  if (word.slot === triageSlot) {
    yield* findAsked(place, word)
    return state
  }
  if (running === undefined) {
    if (asks(event))
      return yield* nextWaiting(place, { ...state, waiting: insert(state.waiting, word) }, null, ctx)
    word.ack()
    return state
  }
  const { work } = running
  const known = work.known.has(event.id) || (!asks(event) && work.edited === event.id)
  if (!known && (yield* join(place, running, state.waiting, word))) {
    word.ack()
    if (running.resting !== true && asks(event) && modeOf(event, work) === "interrupt")
      return yield* cutOff(place, state, ctx)
    // Those who waited for these words may follow.
    return yield* onBoundary(place, state)
  }
  if (known || !asks(event)) {
    word.ack()
    return state
  }
  const waiting = insert(state.waiting, word)
  if (find(state.waiting, event.id) !== undefined)
    return yield* onLate(place, { ...state, waiting }, event.id)
  yield* ctx.after("1 second", { type: "late", event: event.id })
  return { ...state, waiting }
})

/** `triage: model`: beside the mailbox, one at a time for each word. */
const findAsked = Effect.fnUntraced(function* (place: Home, { event, ranking, ack }: Word) {
  if (place.triaging.has(event.id)) return
  place.triaging.add(event.id)
  yield* triage(place, event, ranking).pipe(
    Effect.matchCauseEffect({
      // Not acknowledged: it comes again.
      onFailure: (cause) => Effect.logWarning("triage will be tried again", cause),
      onSuccess: () => Effect.sync(ack),
    }),
    Effect.ensuring(Effect.sync(() => place.triaging.delete(event.id))),
    Effect.forkScoped,
  )
})

/** Tools run: the words that wait and may join are taken in with the results. */
const onBoundary = Effect.fnUntraced(function* (place: Home, state: State) {
  let waiting = state.waiting
  if (state.running === undefined) return state
  for (const word of state.waiting) {
    if (!(yield* join(place, state.running, waiting, word))) continue
    word.ack()
    waiting = without(waiting, word.event.id)
  }
  return { ...state, waiting }
})

/** S2q: a word that still waits after a second is marked, and its delivery acknowledged. */
const onLate = Effect.fnUntraced(function* (place: Home, state: State, event: EventId) {
  const word = find(state.waiting, event)
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

/** P11: a word can not be taken up beside the running turn. It is tried again, and given up at the third time. */
const onFailedWord = Effect.fnUntraced(function* (
  place: Home,
  state: State,
  word: Word,
  cause: Cause.Cause<unknown>,
  ctx: Ctx,
) {
  if (yield* givenUp(place, word, cause)) return { ...state, waiting: without(state.waiting, word.event.id) }
  yield* ctx.after("200 millis", { type: "word", word })
  return state
})

/** Counts what failed; at the third time the word is parked with a notice. */
const givenUp = Effect.fnUntraced(function* (place: Home, word: Word, cause: Cause.Cause<unknown>) {
  const { id } = word.event
  const times = (place.failures.get(id) ?? 0) + 1
  yield* Effect.logError(`taking up a word failed, time ${times}`, cause)
  if (times < mostAttempts) {
    place.failures.set(id, times)
    return false
  }
  yield* parkWord(place, word)
  place.failures.delete(id)
  word.ack()
  return true
})

const open = Effect.fnUntraced(function* (
  place: Home,
  state: State,
  word: Word,
  ctx: Ctx,
): Effect.fn.Return<State, StoreError, Needs> {
  const begun = yield* begin(place, state.memory, word).pipe(
    Effect.catchCause((cause) =>
      isUnavailable(cause)
        ? Effect.failCause(cause)
        : Effect.map(givenUp(place, word, cause), (up) => ({ status: up ? "parked" : "failed" }) as const),
    ),
  )
  switch (begun.status) {
    case "fenced":
      // Not ours any more: whoever owns the agent now hears it too.
      return state
    case "busy": {
      // The journal has a turn here that this memory does not know.
      const waiting = { ...state, waiting: insert(state.waiting, word) }
      yield* ctx.after("1 second", { type: "late", event: word.event.id })
      const left = yield* adopt(place)
      if (left !== undefined) return yield* takeOver(place, waiting, left, ctx)
      yield* ctx.after("1 second", { type: "resume" })
      return waiting
    }
    case "early":
      // Not acknowledged: it comes again, should it be the only one that is left.
      return { ...state, waiting: insert(state.waiting, word) }
    case "failed":
      yield* ctx.after("200 millis", { type: "resume" })
      return { ...state, memory: unread, waiting: insert(state.waiting, { ...word, again: true }) }
    case "parked":
      return yield* nextWaiting(place, state, undefined, ctx)
    case "over":
      word.ack()
      return yield* nextWaiting(place, state, word.fromJournal === true ? null : undefined, ctx)
    case "began":
      word.ack()
      if (place.failures.size > 0) place.failures.delete(word.event.id)
      return yield* start(state, begun.work, [], ctx)
  }
})

const start = Effect.fnUntraced(function* (
  state: State,
  work: Work,
  joined: ReadonlyArray<MessageEvent>,
  ctx: Ctx,
) {
  const joining = new JoinQueue(joined, () => {
    Actor.tellControl(ctx.self, { type: "boundary" })
  })
  const words = yield* live({ ...work, agent: work.agent.id })
  const turn = Effect.ensuring(runTurn(work, words, joining), Effect.sync(words.hold))
  yield* ctx.startTurn(turn, (exit): Message => ({ type: "ended", exit }))
  return { ...state, running: { work, joining } }
})

const onEnded = Effect.fnUntraced(function* (place: Home, state: State, ended: Ended, ctx: Ctx) {
  const work = state.running?.work
  const over = { ...state, running: undefined, memory: unread }
  // Stopped, or no longer ours: the journal knows. What waits for a resting turn may join it.
  if (ended.status !== "done" || work === undefined) return yield* resume(place, over, ctx)
  return yield* nextWaiting(
    place,
    { ...over, memory: yield* remember(place, state.memory, work, ended) },
    ended.next,
    ctx,
  )
})

/**
 * The oldest word that waits begins its own turn. `queued` is the oldest in the journal: null when there is none, undefined when
 * that is not known.
 */
const nextWaiting = Effect.fnUntraced(function* (
  place: Home,
  state: State,
  queued: string | null | undefined,
  ctx: Ctx,
): Effect.fn.Return<State, StoreError, Needs> {
  let { waiting } = state
  if (queued !== null && (queued === undefined || find(waiting, queued) === undefined)) {
    const oldest = yield* queuedWord(place.agent, place.thread)
    if (oldest !== undefined && find(waiting, oldest.event.id) === undefined)
      waiting = insert(waiting, {
        ...oldest,
        reason: "waited for an earlier turn",
        ranking: [],
        fromJournal: true,
        ack: () => {},
      })
  }
  const [word, ...rest] = waiting
  return word === undefined ? state : yield* open(place, { ...state, waiting: rest }, word, ctx)
})

/** P6: what the journal has as running and no fiber works on goes on; else words that wait begin. */
const resume = Effect.fnUntraced(function* (
  place: Home,
  state: State,
  ctx: Ctx,
): Effect.fn.Return<State, StoreError, Needs> {
  const left = yield* adopt(place)
  return left === undefined
    ? yield* nextWaiting(place, state, undefined, ctx)
    : yield* takeOver(place, state, left, ctx)
})

const takeOver = Effect.fnUntraced(function* (
  place: Home,
  state: State,
  { work, joined, stop, resting, attempts }: Adopted,
  ctx: Ctx,
): Effect.fn.Return<State, StoreError, Needs> {
  if (resting && !stop)
    return yield* onBoundary(place, {
      ...state,
      running: { work, joining: new JoinQueue([], () => {}), resting },
    })
  if (!stop && attempts < mostAttempts) return yield* start(state, work, joined, ctx)
  work.taken += joined.length
  const written = yield* stopTurn(work, stop ? "stopped" : "interrupted too often")
  if (written.status !== "done") {
    yield* ctx.after("1 second", { type: "resume" })
    return state
  }
  const ended = done(written, false)
  return yield* nextWaiting(
    place,
    { ...state, memory: yield* remember(place, state.memory, work, ended) },
    ended.next,
    ctx,
  )
})

/** A committed stop: the fiber is cut off, whatever it does, and the journal says what was open. */
const onStop = Effect.fnUntraced(function* (place: Home, state: State, turn: string, ctx: Ctx) {
  if (state.running !== undefined && state.running.work.turn !== turn) return state
  return yield* cutOff(place, state, ctx)
})

/** What runs is broken off, and the journal says where it stands. */
const cutOff = Effect.fnUntraced(function* (place: Home, state: State, ctx: Ctx) {
  // Finalizers that hang hold up nobody for long.
  yield* Effect.timeoutOption(ctx.interruptTurn(), "300 millis")
  return yield* resume(place, { ...state, memory: unread, running: undefined }, ctx)
})
