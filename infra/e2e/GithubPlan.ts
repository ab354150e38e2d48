/** A model that follows a plan: one step after the other, also after the runtime was killed in between. */
import { blocksOf, say, useTool, type Answer, type MessagesRequest } from "../emulators/anthropic/index.ts"

export type Step = readonly [tool: string, input: Readonly<Record<string, unknown>>]

/** How far it is stands in the transcript; `seen` gets each result once. */
export const plan =
  (steps: ReadonlyArray<Step>, last: string, seen: Array<string> = []) =>
  (request: MessagesRequest): Answer => {
    const results = request.messages.flatMap((m) =>
      m.role === "user" ? blocksOf(m.content).filter((b) => b.type === "tool_result") : [],
    )
    for (const result of results.slice(seen.length)) {
      const content = result["content"]
      seen.push(typeof content === "string" ? content : JSON.stringify(content))
    }
    const next = steps[results.length]
    return next === undefined ? say(last) : useTool(...next)
  }
