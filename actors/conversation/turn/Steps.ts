/**
 * The journalled steps of a turn (P6): each function is one statement, S4 or S5, and the change of `work` that follows once it
 * has committed. False: it was not written, the turn is no longer ours (fenced, stopped), and nothing in `work` may be trusted.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ModelReply } from "../../../integrations/anthropic/index.ts"
import { Journal, type MessageEvent, type Release, type Said } from "../../../runtime/index.ts"
import type { Line } from "../ConversationStore.ts"
import { pictures } from "../context/Pictures.ts"
import { messageBlock, textBlock } from "../context/Words.ts"
import type { Tool } from "../tools/Tool.ts"
import { tokensOf, toReserve } from "./Money.ts"
import { inputOf } from "./Permissions.ts"
import { endedEvent, resultBlock, startedEvent, type Ran } from "./RunTools.ts"
import { Workplace } from "./Workplace.ts"
import { heardBy, heardWith, rowsFor, type ToolCall, type Work } from "./Work.ts"

/** S4: the reply is saved, its calls are about to run. */
export const saveAndStart = Effect.fnUntraced(function* (
  work: Work,
  said: ReadonlyArray<Line>,
  calls: ReadonlyArray<ToolCall>,
  spent: Spent,
  tools: ReadonlyMap<string, Tool>,
) {
  const journal = yield* Journal
  const out = yield* journal.advance({
    ...place(work),
    ended: [{ n: work.step, state: "saved", ...spent }],
    started: calls.map((c) => ({
      n: c.n,
      kind: "tool",
      call: c.id,
      tool: c.name,
      input: inputOf(c),
    })),
    wanted: null,
    least: 0,
    scopes: [],
    release: released(work, spent.cost),
    rows: rowsFor(work, said),
    frozen: null,
    events: calls.map((c) => startedEvent(work, c, tools)),
  })
  if (!out.written) return false
  work.hold = out.hold
  work.lines.push(...said)
  work.cost += spent.cost
  work.step += calls.length
  work.tools += calls.length
  work.open = { kind: "tools", calls }
  return true
})

/** S4 again: calls that waited and may run now. */
export const startPending = Effect.fnUntraced(function* (
  work: Work,
  calls: ReadonlyArray<ToolCall>,
  tools: ReadonlyMap<string, Tool>,
) {
  const journal = yield* Journal
  const out = yield* journal.advance({
    ...place(work),
    ended: [],
    started: calls.map((c) => ({ n: c.n, kind: "tool", call: c.id, tool: c.name, input: inputOf(c) })),
    wanted: null,
    least: 0,
    scopes: [],
    release: [],
    rows: [],
    frozen: null,
    events: calls.map((c) => startedEvent(work, c, tools)),
  })
  if (!out.written) return false
  work.hold = out.hold
  work.tools += calls.length
  return true
})

export interface Settled {
  readonly ran: Ran
  /** False: it was started before a crash, and what came of it is not known. */
  readonly known: boolean
}

/** S5: results, joined words, and the next model call with its money. */
export const continueWith = (
  work: Work,
  settled: ReadonlyArray<Settled>,
  joined: ReadonlyArray<MessageEvent>,
  tools: ReadonlyMap<string, Tool>,
) =>
  next(work, {
    ended: settled.map((s) => ({
      n: s.ran.call.n,
      state: s.known ? "saved" : "unknown",
      cost: 0,
      usage: null,
    })),
    lines: [{ role: "user", content: settled.map((s) => resultBlock(s.ran)), heard: heardBy(work.lines) }],
    joined,
    release: [],
    cost: 0,
    events: settled.map((s) => endedEvent(work, s.ran, tools, s.known)),
  })

/** S5 after a rest: nothing is open, and the model is asked. */
export const takeUpAgain = (work: Work, joined: ReadonlyArray<MessageEvent>) =>
  next(work, { ended: [], lines: [], joined, release: [], cost: 0, events: [] })

export interface Spent {
  readonly cost: number
  readonly usage: ModelReply["usage"]
}

/** S5: the model goes on at once: after a pause, after cut calls, after words that joined at the end. */
export const goOn = (
  work: Work,
  lines: ReadonlyArray<Line>,
  spent: Spent,
  joined: ReadonlyArray<MessageEvent>,
) =>
  next(work, {
    ended: [{ n: work.step, state: "saved", ...spent }],
    lines,
    joined,
    release: released(work, spent.cost),
    cost: spent.cost,
    events: [],
  })

/** S5 after a crash: a call that was started is made again, and its money counts as spent. */
export const callAgain = (work: Work, joined: ReadonlyArray<MessageEvent>) => {
  const cost = work.open.kind === "model" ? work.open.granted : 0
  return next(work, {
    ended: [{ n: work.step, state: "unknown", cost, usage: null }],
    lines: [],
    joined,
    release: released(work, cost),
    cost,
    events: [],
  })
}

/**
 * S5 into a new segment with only what matters now: the old one is too long, or is not accepted any more (P12). `spent` is
 * null where the call was refused and cost nothing.
 */
export const renew = Effect.fnUntraced(function* (
  work: Work,
  joined: ReadonlyArray<MessageEvent>,
  spent: Spent | null,
) {
  const cost = spent?.cost ?? 0
  const step: Next = {
    ended: [{ n: work.step, state: spent === null ? "failed" : "saved", cost, usage: spent?.usage ?? null }],
    lines: [
      {
        role: "user",
        content: [
          textBlock(
            "<room>The conversation before this was too long or could not be continued; it is not shown. Check what you did already before you repeat it, and ask for what you miss.</room>",
          ),
          ...work.words.map((w) =>
            messageBlock({ ...w, text: w.text.slice(0, longestRenewed).toWellFormed() }),
          ),
        ],
        heard: heardBy(work.lines),
      },
    ],
    joined,
    release: released(work, cost),
    cost,
    events: [],
  }
  work.segment += 1
  work.lines = []
  work.tokens = tokensOf(work.frozenText)
  work.renewed = true
  return yield* next(work, step, work.frozenText)
})
const longestRenewed = 20_000

interface Next {
  readonly ended: ReadonlyArray<{
    readonly n: number
    readonly state: "saved" | "failed" | "unknown"
    readonly cost: number
    readonly usage: object | null
  }>
  readonly lines: ReadonlyArray<Line>
  readonly joined: ReadonlyArray<MessageEvent>
  readonly release: ReadonlyArray<Release>
  readonly cost: number
  readonly events: ReadonlyArray<Said>
}

const next = Effect.fnUntraced(function* (work: Work, step: Next, frozen: string | null = null) {
  const journal = yield* Journal
  const { budgets } = yield* Workplace
  const lines = step.joined.length === 0 ? step.lines : yield* withJoined(work, step.lines, step.joined)
  work.tokens += tokensOf(lines.map((l) => l.content))
  const money = toReserve(budgets, work.frozen.model, work.tokens, new Date(yield* Clock.currentTimeMillis))
  const n = work.step + 1
  const out = yield* journal.advance({
    ...place(work),
    taken: work.taken + step.joined.length,
    ended: step.ended,
    started: [{ n, kind: "model", call: null, tool: null, input: null }],
    wanted: money?.wanted ?? 0,
    least: money?.least ?? 0,
    scopes: work.scopes,
    release: step.release,
    rows: rowsFor(work, lines),
    frozen,
    events: step.events,
  })
  if (!out.written) return false
  work.lines.push(...lines)
  work.words.push(...step.joined)
  work.cost += step.cost
  work.taken += step.joined.length
  work.step = n
  work.hold = out.hold
  work.open = out.granted === null ? { kind: "nothing" } : { kind: "model", n, granted: out.granted }
  return true
})

/** Joined words stand in the same user message as the results before them, with their pictures. */
const withJoined = Effect.fnUntraced(function* (
  work: Work,
  lines: ReadonlyArray<Line>,
  joined: ReadonlyArray<MessageEvent>,
) {
  const content = yield* Effect.forEach(joined, (e) =>
    Effect.map(pictures(e), (shown) => [
      messageBlock(
        e,
        e.edits === null ? "said while you work" : "an edit of what was said before; this text holds",
      ),
      ...shown,
    ]),
  )
  const heard = heardWith(heardBy([...work.lines, ...lines]), joined)
  return [...lines, { role: "user", content: content.flat(), heard }] satisfies ReadonlyArray<Line>
})

const place = (work: Work) => ({
  turn: work.turn,
  agent: work.agent.id,
  thread: work.thread,
  door: work.door.id,
  segment: work.segment,
  fence: work.fence,
  taken: work.taken,
})

const released = (work: Work, spent: number): ReadonlyArray<Release> =>
  work.open.kind === "model" ? [{ scopes: work.scopes, reserved: work.open.granted, spent }] : []
