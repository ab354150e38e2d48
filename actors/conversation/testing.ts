/** Tools for tests of the conversation: each says what it is asked, and can be held back. */
import * as Effect from "effect/Effect"
import type { Tool, ToolResult } from "./tools/Tool.ts"

export const toolOf = (
  name: string,
  run: (input: unknown) => Effect.Effect<ToolResult>,
  over: Partial<Tool> = {},
): Tool => ({
  spec: { name, description: name, input_schema: { type: "object", properties: {} } },
  idempotent: false,
  parallel: false,
  summary: (input) => `${name} ${JSON.stringify(input)}`,
  run,
  ...over,
})

export const ok = (content: string): ToolResult => ({ content, ok: true, exitCode: 0 })

/** A tool that waits until the test lets it go on. */
export const gate = (name: string, over: Partial<Tool> = {}) => {
  const calls: Array<{ readonly input: unknown; readonly open: () => void }> = []
  let interrupted = 0
  const tool = toolOf(
    name,
    (input) =>
      Effect.callback<ToolResult>((resume) => {
        calls.push({ input, open: () => resume(Effect.succeed(ok(`${name} is done`))) })
        return Effect.sync(() => void interrupted++)
      }),
    over,
  )
  return { tool, calls, interrupted: () => interrupted }
}
