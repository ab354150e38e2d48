/**
 * The turn: a loop of model call, tools, model call, as plain functions over one `Work`. Each outside step is written before
 * and after (P6): the step that is about to run was started by the statement before it. A statement that was not written
 * means the turn is no longer ours (fenced, stopped): the loop ends without a word.
 *
 * Words that join are taken in at each tool boundary, after the results and before the next call, and at the end: S6 refuses
 * while joined words were not taken.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import {
  costMicros,
  type Block,
  type ModelError,
  type ModelReply,
} from "../../../integrations/anthropic/index.ts"
import { Journal, type Agent, type MessageEvent, type Release, type Said } from "../../../runtime/index.ts"
import type { Line } from "../ConversationStore.ts"
import { messageBlock, textBlock } from "../context/Words.ts"
import type { Tool } from "../tools/Tool.ts"
import { callModel } from "./CallModel.ts"
import { endTurn, type End } from "./EndTurn.ts"
import type { Live } from "./Live.ts"
import { dollars, tokensOf, toReserve, type Budgets } from "./Money.ts"
import { endedEvent, resultBlock, runTools, startedEvent, unknownOutcome, type Ran } from "./RunTools.ts"
import { addUsage, heardBy, rowsFor, type ToolCall, type Work } from "./Work.ts"

/** What the process gives to every turn. */
export class Workplace extends Context.Service<
  Workplace,
  {
    readonly tools: ReadonlyMap<string, Tool>
    readonly budgets: Budgets
    /** The model an agent works with. */
    readonly modelOf: (agent: Agent) => string
  }
>()("troupe/conversation/Workplace") {}

/** Words that joined the turn, in order. */
export interface Joining {
  /** Those that have arrived since the last call. */
  readonly take: () => ReadonlyArray<MessageEvent>
  /** Waits until there are some. */
  readonly some: Effect.Effect<void>
}

export interface Ended {
  /** Undefined: the turn is no longer ours. */
  readonly next: string | null | undefined
  /** The segment must not be used again: what is in it would be refused again. */
  readonly broken: boolean
}

const mostRounds = 100
const gone: Ended = { next: undefined, broken: false }

export const runTurn = Effect.fn("Turn.run")(function* (work: Work, live: Live, joining: Joining) {
  const { tools, budgets } = yield* Workplace
  if (work.resumed && !(yield* takeUp(work, joining.take(), tools))) return gone
  for (let round = 0; ; round++) {
    const model = work.open
    if (model.kind !== "model") return yield* close(work, joining, noMoney(work, budgets))
    const money = toReserve(budgets, work.frozen.model, work.tokens, new Date(yield* Clock.currentTimeMillis))
    if (money === undefined) return yield* close(work, joining, noPrice(work))
    if (round === mostRounds) return yield* close(work, joining, tooManyRounds)

    const reply = yield* Effect.result(callModel(work, money.price, model.granted, live))
    if (reply._tag === "Failure") {
      const failure = reply.failure
      if (mustRenew(failure) && !work.renewed) {
        if (!(yield* renew(work, joining.take(), null))) return gone
        continue
      }
      return yield* close(work, joining, modelFailed(failure), mustRenew(failure))
    }
    const answer = reply.success
    const cost = costMicros(money.price, answer.usage)
    const calls = toolCalls(answer, work.step)
    work.usage = addUsage(work.usage, answer.usage)
    work.tokens = promptTokens(answer)
    const said = { role: "assistant", content: answer.content, heard: heardBy(work.lines) } as const

    if (answer.stopReason === "refusal") {
      const declined = `I can not help with that: the model declined (${answer.stopDetail}).`
      return yield* close(work, joining, { ...failed(declined, "refusal"), cost, usage: answer.usage }, true)
    }
    if (answer.stopReason === "model_context_window_exceeded" && !work.renewed) {
      if (!(yield* renew(work, joining.take(), { cost, usage: answer.usage }))) return gone
      continue
    }
    if (answer.stopReason === "tool_use" && calls.length > 0) {
      if (!(yield* saveAndStart(work, said, calls, cost, answer, tools))) return gone
      const ran = yield* runTools(work, calls, tools)
      if (
        !(yield* continueWith(
          work,
          ran.map((r) => ({ ran: r, known: true })),
          joining.take(),
        ))
      )
        return gone
      continue
    }
    if (answer.stopReason === "pause_turn" || (answer.stopReason === "max_tokens" && calls.length > 0)) {
      // Calls that were cut off are never run, and every one of them is answered.
      const cut = calls.map((call) => resultBlock({ call, result: cutOff }))
      const results: ReadonlyArray<Line> =
        cut.length === 0 ? [] : [{ role: "user", content: cut, heard: heardBy(work.lines) }]
      if (!(yield* goOn(work, [said, ...results], { cost, usage: answer.usage }, joining.take()))) return gone
      continue
    }

    const end: End = {
      state: "finished",
      text: wordsOf(work, answer),
      reason: answer.stopReason === "end_turn" ? null : answer.stopReason,
      lines: answer.content.some(isSaid) ? [said] : [],
      cost,
      usage: answer.usage,
    }
    const written = yield* endTurn(work, end)
    if (written.status === "done") return { next: written.next, broken: false }
    if (written.status === "gone") return gone
    // Words joined at the very end: what was to be said waits and is said with what comes of them.
    yield* joining.some
    const text = textOf(answer)
    if (text !== "") work.held.push(text)
    if (!(yield* goOn(work, end.lines, { cost, usage: answer.usage }, joining.take()))) return gone
  }
})

interface Settled {
  readonly ran: Ran
  readonly known: boolean
}

/** P6, after a crash: a model call is made again and its money counts as spent; tools are settled. */
const takeUp = Effect.fnUntraced(function* (
  work: Work,
  joined: ReadonlyArray<MessageEvent>,
  tools: ReadonlyMap<string, Tool>,
) {
  const { open } = work
  switch (open.kind) {
    case "nothing":
      return true
    case "tools":
      return yield* continueWith(work, yield* afterCrash(work, open.calls, tools), joined)
    case "model":
      return yield* next(work, {
        ended: [{ n: open.n, state: "unknown", cost: open.granted, usage: null }],
        lines: [],
        joined,
        release: released(work, open.granted),
        cost: open.granted,
        events: [],
      })
  }
})

/** Repeated when it does no harm, else answered as unknown. */
const afterCrash = (work: Work, calls: ReadonlyArray<ToolCall>, tools: ReadonlyMap<string, Tool>) =>
  Effect.forEach(calls, (call) =>
    tools.get(call.name)?.idempotent === true
      ? Effect.map(runTools(work, [call], tools), ([ran]): Settled => ({ ran: ran!, known: true }))
      : Effect.succeed<Settled>({ ran: unknownOutcome(call), known: false }),
  )

/** S4. */
const saveAndStart = Effect.fnUntraced(function* (
  work: Work,
  said: Line,
  calls: ReadonlyArray<ToolCall>,
  cost: number,
  answer: ModelReply,
  tools: ReadonlyMap<string, Tool>,
) {
  const journal = yield* Journal
  const out = yield* journal.advance({
    ...place(work),
    ended: [{ n: work.step, state: "saved", cost, usage: answer.usage }],
    started: calls.map((c) => ({
      n: c.n,
      kind: "tool",
      call: c.id,
      tool: c.name,
      input: JSON.stringify(c.input),
    })),
    wanted: null,
    least: 0,
    scopes: [],
    release: released(work, cost),
    rows: rowsFor(work, [said]),
    frozen: null,
    events: calls.map((c) => startedEvent(work, c, tools)),
  })
  if (!out.written) return false
  work.lines.push(said)
  work.cost += cost
  work.step += calls.length
  work.tools += calls.length
  work.open = { kind: "tools", calls }
  return true
})

/** S5: results, joined words, and the next model call with its money. */
const continueWith = Effect.fnUntraced(function* (
  work: Work,
  settled: ReadonlyArray<Settled>,
  joined: ReadonlyArray<MessageEvent>,
) {
  const { tools } = yield* Workplace
  return yield* next(work, {
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
})

interface Spent {
  readonly cost: number
  readonly usage: ModelReply["usage"]
}

/** The model goes on at once: after a pause, after cut calls, after words that joined at the end. */
const goOn = (work: Work, lines: ReadonlyArray<Line>, spent: Spent, joined: ReadonlyArray<MessageEvent>) =>
  next(work, {
    ended: [{ n: work.step, state: "saved", ...spent }],
    lines,
    joined,
    release: released(work, spent.cost),
    cost: spent.cost,
    events: [],
  })

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
  const lines = withJoined(work, step.lines, step.joined)
  work.tokens += tokensOf(lines)
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
  work.cost += step.cost
  work.taken += step.joined.length
  work.step = n
  work.open = out.granted === null ? { kind: "nothing" } : { kind: "model", n, granted: out.granted }
  return true
})

/** A new segment with only what matters now: the old one is too long, or is not accepted any more (P12). */
const renew = Effect.fnUntraced(function* (
  work: Work,
  joined: ReadonlyArray<MessageEvent>,
  spent: Spent | null,
) {
  const cost = spent?.cost ?? (work.open.kind === "model" ? work.open.granted : 0)
  const ended = [
    {
      n: work.step,
      state: spent === null ? ("unknown" as const) : ("saved" as const),
      cost,
      usage: spent?.usage ?? null,
    },
  ]
  const release = released(work, cost)
  const heard = heardBy(work.lines)
  work.segment += 1
  work.lines = []
  work.tokens = tokensOf(work.frozen)
  work.renewed = true
  const content: ReadonlyArray<Block> = [
    textBlock(
      "<room>The conversation before this was too long or could not be continued; it is not shown. Ask for what you miss.</room>",
    ),
    messageBlock({ ...work.event, text: work.event.text.slice(0, 20_000) }),
  ]
  return yield* next(
    work,
    { ended, lines: [{ role: "user", content, heard }], joined, release, cost, events: [] },
    JSON.stringify(work.frozen),
  )
})

/** Ends with words that are no answer; words that joined meanwhile are answered by the same words. */
const close = Effect.fnUntraced(function* (work: Work, joining: Joining, end: End, broken = false) {
  for (;;) {
    const written = yield* endTurn(work, end)
    if (written.status === "done") return { next: written.next, broken }
    if (written.status === "gone") return gone
    yield* joining.some
    work.taken += joining.take().length
  }
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

/** Joined words stand in the same user message as the results before them. */
const withJoined = (
  work: Work,
  lines: ReadonlyArray<Line>,
  joined: ReadonlyArray<MessageEvent>,
): ReadonlyArray<Line> => {
  if (joined.length === 0) return lines
  const content = joined.map((e) =>
    messageBlock(
      e,
      e.edits === null ? "said while you work" : "an edit of what was said before; this text holds",
    ),
  )
  return [
    ...lines,
    {
      role: "user",
      content,
      heard: Math.max(heardBy([...work.lines, ...lines]), ...joined.map((e) => e.pos)),
    },
  ]
}

const toolCalls = (answer: ModelReply, lastStep: number): ReadonlyArray<ToolCall> =>
  answer.content
    .filter((b) => b.type === "tool_use")
    .map((b, i) => ({ n: lastStep + 1 + i, id: String(b["id"]), name: String(b["name"]), input: b["input"] }))

/** Thinking alone can not be sent back as an answer. */
const isSaid = (block: Block) => block.type !== "thinking" && block.type !== "redacted_thinking"

const textOf = (answer: ModelReply): string =>
  answer.content
    .filter((b) => b.type === "text")
    .map((b) => String(b["text"]))
    .join("")
    .trim()

const wordsOf = (work: Work, answer: ModelReply): string => {
  const parts = [...work.held, textOf(answer)].filter((t) => t !== "")
  const text = parts.length === 0 ? "Done; there is nothing to add." : parts.join("\n\n")
  return answer.stopReason === "max_tokens"
    ? `${text}\n\n(Cut at the length limit. Say "continue" for the rest.)`
    : text
}

const promptTokens = ({ usage }: ModelReply) =>
  usage.input + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h + usage.output

const cutOff = {
  content: "cut off at the length limit, not run; send it again, shorter",
  ok: false,
  exitCode: null,
}

const mustRenew = (error: ModelError) =>
  error.kind === "context_too_long" || error.kind === "prefix_mismatch" || error.kind === "too_large"

const failed = (text: string, reason: string): End => ({
  state: "failed",
  text,
  reason,
  lines: [],
  cost: 0,
  usage: null,
})

const modelFailed = (error: ModelError): End =>
  error.retry === "later"
    ? {
        ...failed(
          `I stopped here: ${error.message} Your message is kept; say "continue" to try again.`,
          error.kind,
        ),
        state: "parked",
      }
    : failed(`I can not answer: ${error.message}`, error.kind)

const noMoney = (work: Work, budgets: Budgets): End => ({
  ...failed(
    `I stopped here: the budget is used up (${dollars(work.cost)} spent on this message; limits are $${budgets.perRoot.toFixed(2)} a message and $${budgets.perAgentPerDay.toFixed(2)} a day for each agent). Whoever runs Troupe can raise \`budgets\` in troupe.yaml.`,
    "budget",
  ),
  state: "parked",
})

const noPrice = (work: Work): End =>
  failed(
    `I can not answer: the model ${work.frozen.model} has no price here, so its cost can not be limited. Add it under \`prices\` in troupe.yaml, or choose another model.`,
    "no price",
  )

const tooManyRounds: End = failed(
  `I stopped after ${mostRounds} rounds of tools without an answer. Say "continue" to go on.`,
  "rounds",
)
