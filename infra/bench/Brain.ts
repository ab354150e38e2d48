/**
 * The emulated Messages API in a process of its own: answers the last question it finds, at once unless told otherwise, and
 * notes when each request came.
 */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { now, serve } from "./Child.ts"
import { streamed, type Manner } from "./Manner.ts"
import {
  AnthropicEmulator,
  blocksOf,
  say,
  useTool,
  type Answer,
  type MessagesRequest,
} from "../emulators/anthropic/index.ts"

let manner: Manner = {}
/** When the requests about each question came. */
const arrived = new Map<string, Array<number>>()
let requests = 0

const lastQuestion = ({ messages }: MessagesRequest): string => {
  for (const message of messages.toReversed()) {
    const text = blocksOf(message.content)
      .map((block) => String(block["text"] ?? ""))
      .join("\n")
    const found = message.role === "user" ? text.match(/#q\d+/g)?.at(-1) : undefined
    if (found !== undefined) return found
  }
  return "#q0"
}

const respond = (request: MessagesRequest): Answer => {
  const q = lastQuestion(request)
  requests++
  arrived.set(q, [...(arrived.get(q) ?? []), now()])
  const { tool, streamMs } = manner
  const returned = blocksOf(request.messages.at(-1)?.content).some((b) => b.type === "tool_result")
  if (tool !== undefined && !returned) return useTool(tool.name, tool.input)
  return streamMs === undefined ? say(`The answer to ${q}.`) : streamed(q, streamMs)
}

const scope = await Effect.runPromise(Scope.make())
const ai = await Effect.runPromise(
  AnthropicEmulator.start({ respond, bindThinking: false, record: false }).pipe(
    Effect.provideService(Scope.Scope, scope),
  ),
)

const methods = {
  url: () => ai.url,
  behave: (next: Manner) => void (manner = next),
  arrived: (questions: ReadonlyArray<string>) => questions.map((q) => arrived.get(q) ?? []),
  requests: () => requests,
}
export type Brain = typeof methods
serve(methods)
