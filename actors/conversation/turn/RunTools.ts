/**
 * Runs the tool calls of one round. Whatever happens becomes a result the model reads: an unknown name, input that is not
 * JSON, a defect in a tool. Calls run beside each other only when all of them are declared safe for it.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { invalidInput, type Block } from "../../../integrations/anthropic/index.ts"
import type { Said } from "../../../runtime/index.ts"
import { TurnContext, type Tool, type ToolResult } from "../tools/Tool.ts"
import type { ToolCall, Work } from "./Work.ts"

export interface Ran {
  readonly call: ToolCall
  readonly result: ToolResult
  readonly ms: number
}

export const runTools = Effect.fn("Turn.runTools")(function* (
  work: Work,
  calls: ReadonlyArray<ToolCall>,
  tools: ReadonlyMap<string, Tool>,
) {
  const context = {
    door: work.door.id,
    event: work.event.id,
    agent: work.agent.id,
    agentName: work.agent.name,
    thread: work.thread,
    turn: work.turn,
    fence: work.fence,
    principal: work.event.principal,
    root: work.event.root,
    hop: work.event.hop,
    attachments: work.words.flatMap((w) => w.attachments),
  }
  const together = calls.every((c) => tools.get(c.name)?.parallel === true)
  return yield* Effect.forEach(
    calls,
    (call) =>
      runTool(call, tools.get(call.name)).pipe(
        Effect.provideService(TurnContext, TurnContext.of({ ...context, call: call.id, n: call.n })),
      ),
    { concurrency: together ? "unbounded" : 1 },
  )
})

const runTool = Effect.fnUntraced(function* (call: ToolCall, tool: Tool | undefined) {
  const from = yield* Clock.currentTimeMillis
  const result = yield* Effect.suspend(() => {
    if (tool === undefined) return Effect.succeed(refused(`There is no tool called ${call.name}.`))
    const broken = invalidInput({ type: "tool_use", input: call.input })
    if (broken !== undefined)
      return Effect.succeed(refused("The input was not valid JSON. Send the call again."))
    return tool.run(call.input)
  }).pipe(
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause)
        : Effect.as(
            Effect.logError(`tool ${call.name} crashed`, cause),
            refused("The tool crashed. Try another way."),
          ),
    ),
  )
  return { call, result, ms: (yield* Clock.currentTimeMillis) - from } satisfies Ran
})

export const refused = (content: string): ToolResult => ({ content, ok: false, exitCode: null })

/** P12: every call is answered in the very next user message, all results together. */
export const resultBlock = (ran: Pick<Ran, "call" | "result">): Block => ({
  type: "tool_result",
  tool_use_id: ran.call.id,
  content: readable(ran.result.content),
  ...(ran.result.ok ? {} : { is_error: true }),
})

/** The API refuses half characters, and would refuse them again with every later call. */
const readable = (content: ToolResult["content"]) =>
  typeof content !== "string" ? content : content === "" ? "(no output)" : content.toWellFormed()

/** P6: what a call found started after a crash, or broken off, is answered with. */
export const unknownOutcome = (call: ToolCall): Ran => ({
  call,
  result: refused("interrupted, outcome unknown, check before repeating"),
  ms: 0,
})

/** What a call is answered with that waited when the turn was stopped. */
export const notRun = (call: ToolCall): Ran => ({
  call,
  result: refused("not run: the work was stopped before"),
  ms: 0,
})

/** What a call is answered with that a person did not allow. */
export const notAllowed = (call: ToolCall): Ran => ({
  call,
  result: refused(
    call.answer === "expired"
      ? "not run: nobody allowed it within a day"
      : "not run: the person refused it; do not try to reach the same in another way",
  ),
  ms: 0,
})

export const summaryOf = (call: ToolCall, tools: ReadonlyMap<string, Tool>): string =>
  Result.getOrElse(
    // The input is whatever the model wrote.
    Result.try(() => tools.get(call.name)?.summary(call.input) ?? call.name),
    () => call.name,
  )
    .slice(0, 500)
    .toWellFormed()

/** The call is about to run. */
export const startedEvent = (work: Work, call: ToolCall, tools: ReadonlyMap<string, Tool>): Said => ({
  body: {
    kind: "tool",
    turn: work.turn,
    agent: work.agent.id,
    call: call.id,
    tool: call.name,
    state: "started",
    summary: summaryOf(call, tools),
    ok: null,
    exitCode: null,
    ms: null,
  },
})

/** The receipt. */
export const endedEvent = (work: Work, ran: Ran, tools: ReadonlyMap<string, Tool>, known = true): Said => ({
  body: {
    kind: "tool",
    turn: work.turn,
    agent: work.agent.id,
    call: ran.call.id,
    tool: ran.call.name,
    state: known ? "finished" : "unknown",
    summary: summaryOf(ran.call, tools),
    ok: known ? ran.result.ok : null,
    exitCode: ran.result.exitCode,
    ms: known ? ran.ms : null,
  },
})
