/** Ends a turn that was told to stop, or that may not go on: the transcript stays valid, the room hears what was done and what was not. */
import * as Effect from "effect/Effect"
import { endTurn } from "./turn/EndTurn.ts"
import { notRun, resultBlock, summaryOf, unknownOutcome } from "./turn/RunTools.ts"
import { Workplace } from "./turn/Workplace.ts"
import { heardBy, type ToolCall, type Work } from "./turn/Work.ts"
import type { Line } from "./ConversationStore.ts"

export const stopTurn = Effect.fnUntraced(function* (
  work: Work,
  reason: "stopped" | "interrupted too often",
) {
  const { tools } = yield* Workplace
  const calls = work.open.kind === "tools" ? work.open.calls : []
  const broken = calls.filter((c) => c.pending !== true)
  const waited = calls.filter((c) => c.pending === true)
  const done = work.tools - broken.length
  const lines: ReadonlyArray<Line> =
    calls.length === 0
      ? []
      : [
          {
            role: "user",
            content: calls.map((c) => resultBlock(c.pending === true ? notRun(c) : unknownOutcome(c))),
            heard: heardBy(work.lines),
          },
        ]
  const did =
    done === 0 ? "Nothing had been run." : `Done before: ${done} tool ${done === 1 ? "call" : "calls"}.`
  const list = (of: ReadonlyArray<ToolCall>) =>
    of.map((c) => `\`${summaryOf(c, tools).split("\n")[0]}\``).join(", ")
  const cut =
    (broken.length === 0 ? "" : ` Broken off, outcome unknown: ${list(broken)}.`) +
    (waited.length === 0 ? "" : ` Not run: ${list(waited)}.`)
  const head = reason === "stopped" ? "Stopped." : "I stopped: this work was interrupted again and again."
  return yield* endTurn(work, {
    state: reason === "stopped" ? "stopped" : "parked",
    text: [...work.held, `${head} ${did}${cut} Say "continue" to go on.`].join("\n\n"),
    reason,
    lines,
    cost: null,
    usage: null,
  })
})
