/**
 * The turn: a loop of model call, tools, model call, as plain functions over one `Work`. Each outside step is written before
 * and after (P6): the step that is about to run was started by the statement before it. A statement that was not written
 * means the turn is no longer ours (fenced, stopped): the loop ends without a word.
 *
 * Words that join are taken in at each tool boundary, after the results and before the next call, and at the end: S6 refuses
 * while joined words were not taken.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { costMicros, type ModelError } from "../../../integrations/anthropic/index.ts"
import type { Courier, Journal, MessageEvent, StoreError } from "../../../runtime/index.ts"
import { grantedTo, isKnown } from "../ConversationStore.ts"
import type { Tool } from "../tools/Tool.ts"
import { callModel } from "./CallModel.ts"
import { declined, modelFailed, mostRounds, noPrice, tooManyRounds } from "./Ends.ts"
import { endTurn, type End, type Spoke } from "./EndTurn.ts"
import type { Live } from "./Live.ts"
import { toReserve, type Budgets } from "./Money.ts"
import { mustAsk, toolsFor } from "./Permissions.ts"
import { linesOf, promptTokens, textOf, toolCalls, wordsOf } from "./Reply.ts"
import { forPermission, noMoney, toldToWait } from "./Rests.ts"
import { restTurn, type Rest } from "./RestTurn.ts"
import { notAllowed, runTools, unknownOutcome } from "./RunTools.ts"
import {
  callAgain,
  continueWith,
  goOn,
  renew,
  saveAndStart,
  startPending,
  takeUpAgain,
  type Settled,
} from "./Steps.ts"
import { Workplace } from "./Workplace.ts"
import { addUsage, heardBy, type ToolCall, type Work } from "./Work.ts"

/** Words that joined the turn, in order. */
export interface Joining {
  /** Those that have arrived since the last call. */
  readonly take: () => ReadonlyArray<MessageEvent>
  /** Waits until there are some. */
  readonly some: Effect.Effect<void>
  /** Tools run now: what joins before they end is taken in with their results. */
  readonly boundary: () => void
}

export type Ended =
  /** The turn is no longer ours; the journal says whose, or why. */
  | { readonly status: "gone" }
  /** It waits for a permission, for money, or because it was told to; an order puts it to work again. */
  | { readonly status: "resting" }
  | {
      readonly status: "done"
      /** The oldest queued word in the journal. */
      readonly next: string | null
      /** Where its last words stand. */
      readonly spoke: Spoke | null
      /** The segment must not be used again: what is in it would be refused again. */
      readonly broken: boolean
    }

const gone: Ended = { status: "gone" }
const resting: Ended = { status: "resting" }
export const done = (
  { next, spoke }: { readonly next: string | null; readonly spoke: Spoke | null },
  broken: boolean,
): Extract<Ended, { status: "done" }> => ({ status: "done", next, spoke, broken })

export const runTurn = Effect.fn("Turn.run")(function* (work: Work, live: Live, joining: Joining) {
  const { budgets, tools: all } = yield* Workplace
  const tools = toolsFor(work.agent, all)
  const rest = (why: Rest) => Effect.map(restTurn(work, why, tools), (rested) => (rested ? resting : gone))
  if (work.resumed && !(yield* takeUp(work, joining, tools))) return gone
  for (let round = 0; ; round++) {
    const { open } = work
    if (work.hold) return yield* rest(toldToWait(work, []))
    if (open.kind !== "model") return yield* restForMoney(work, budgets, rest)
    const money = toReserve(budgets, work.frozen.model, work.tokens, new Date(yield* Clock.currentTimeMillis))
    if (money === undefined) return yield* close(work, joining, noPrice(work))
    if (round === mostRounds) return yield* close(work, joining, tooManyRounds)

    const reply = yield* Effect.result(callModel(work, money.price, open.granted, live))
    if (reply._tag === "Failure") {
      const broken = isBroken(reply.failure)
      if (!broken || work.renewed) return yield* close(work, joining, modelFailed(reply.failure), broken)
      if (!(yield* renew(work, joining.take(), null))) return gone
      continue
    }
    const answer = reply.success
    const spent = { cost: costMicros(money.price, answer.usage), usage: answer.usage }
    const calls = toolCalls(answer, work.step)
    work.usage = addUsage(work.usage, answer.usage)
    work.tokens = promptTokens(answer)

    if (answer.stopReason === "refusal")
      return yield* close(work, joining, declined(answer, spent.cost), true)
    if (answer.stopReason === "model_context_window_exceeded" && !work.renewed) {
      if (!(yield* renew(work, joining.take(), spent))) return gone
      continue
    }
    if (answer.stopReason === "tool_use" && calls.length > 0) {
      const said = linesOf(answer, heardBy(work.lines), [])
      const asked = calls.filter((call) => mustAsk(work.agent, tools, call))
      if (asked.length > 0) return yield* rest(forPermission(work, spent, said, calls, asked, tools))
      if (!(yield* saveAndStart(work, said, calls, spent, tools))) return gone
      if (work.hold) return yield* rest(toldToWait(work, calls))
      joining.boundary()
      const ran = yield* runTools(work, calls, tools)
      const settled = ran.map((r): Settled => ({ ran: r, known: true }))
      if (!(yield* continueWith(work, settled, joining.take(), tools))) return gone
      continue
    }

    // Calls that came with any other end were cut off: they are never run, and every one is answered.
    const lines = linesOf(answer, heardBy(work.lines), calls)
    if (answer.stopReason === "pause_turn" || (answer.stopReason === "max_tokens" && calls.length > 0)) {
      if (!(yield* goOn(work, lines, spent, joining.take()))) return gone
      if (calls.length === 0) hold(work, textOf(answer.content))
      continue
    }
    if (answer.stopReason === "unknown")
      yield* Effect.logError(`model: the unknown stop reason "${answer.stopDetail}" is taken as an end`)
    const written = yield* endTurn(work, {
      state: "finished",
      text: wordsOf(work.held, answer),
      reason: answer.stopReason === "end_turn" ? null : answer.stopReason,
      lines,
      ...spent,
    })
    if (written.status === "done") return done(written, false)
    if (written.status === "gone") return gone
    // Words joined at the very end: what was to be said waits and is said with what comes of them.
    yield* joining.some
    if (!(yield* goOn(work, lines, spent, joining.take()))) return gone
    if (calls.length === 0) hold(work, textOf(answer.content))
  }
})

/** P6, after a crash: a model call is made again and its money counts as spent; tools are settled. */
const takeUp = Effect.fnUntraced(function* (work: Work, joining: Joining, tools: ReadonlyMap<string, Tool>) {
  switch (work.open.kind) {
    case "nothing":
      return yield* takeUpAgain(work, joining.take())
    case "tools": {
      const { calls } = work.open
      const allowed = calls.filter((c) => c.pending === true && (c.answer ?? "yes") === "yes")
      if (allowed.length > 0 && !(yield* startPending(work, allowed, tools))) return false
      joining.boundary()
      const settled = yield* settle(work, calls, tools)
      return yield* continueWith(work, settled, joining.take(), tools)
    }
    case "model":
      return yield* callAgain(work, joining.take())
  }
})

/**
 * Calls that were open when the turn was taken up. What waited runs now, or is answered as refused; what was started is repeated
 * when it does no harm, else answered as unknown.
 */
const settle = (work: Work, calls: ReadonlyArray<ToolCall>, tools: ReadonlyMap<string, Tool>) =>
  Effect.forEach(calls, (call) => {
    if (call.pending === true && (call.answer ?? "yes") !== "yes")
      return Effect.succeed<Settled>({ ran: notAllowed(call), known: true })
    return call.pending === true || tools.get(call.name)?.idempotent === true
      ? Effect.map(runTools(work, [call], tools), ([ran]): Settled => ({ ran: ran!, known: true }))
      : Effect.succeed<Settled>({ ran: unknownOutcome(call), known: false })
  })

/** Ends with words that are no answer; words that joined meanwhile are answered by the same words. */
const close = Effect.fnUntraced(function* (work: Work, joining: Joining, end: End, broken: boolean = false) {
  const text = [...work.held, end.text].join("\n\n")
  for (;;) {
    const written = yield* endTurn(work, { ...end, text })
    if (written.status === "done") return done(written, broken)
    if (written.status === "gone") return gone
    yield* joining.some
    work.taken += joining.take().length
  }
})

/** P10: one notice per root, and one more each time somebody granted more; others rest without a word. */
const restForMoney = Effect.fnUntraced(function* (
  work: Work,
  budgets: Budgets,
  rest: (why: Rest) => Effect.Effect<Ended, StoreError, Journal | Courier>,
) {
  const key = `budget:${work.event.root}:${yield* grantedTo(work.event.root)}`
  const why = noMoney(work, budgets)
  const silent = { ...why, text: null }
  if (yield* isKnown(work.thread, key)) return yield* rest(silent)
  return yield* rest({ ...why, key }).pipe(
    // Another agent gave the notice in this moment.
    Effect.catchIf(
      (error) => error.kind === "refused",
      () => rest(silent),
    ),
  )
})

const hold = (work: Work, text: string) => {
  if (text !== "") work.held.push(text)
}

/** The same transcript would be refused again: too long, another beginning, or not what the API takes. */
const isBroken = (error: ModelError) =>
  error.kind === "context_too_long" ||
  error.kind === "prefix_mismatch" ||
  error.kind === "too_large" ||
  error.kind === "invalid_request"
