/**
 * P13 for the tools of the agent's own computer and whatever else is not GitHub's own: in a room on GitHub they run for people
 * who may command there, by a permission looked up at the call. The computer knows more than one room may hear, so reading
 * it is no exception; what people with less may have are the reading tools of GitHub, which check the repository themselves.
 */
import * as Effect from "effect/Effect"
import type { Github } from "../../../../integrations/github/index.ts"
import { TurnContext, type Tool, type ToolResult } from "../Tool.ts"

export const guarded = (tool: Tool, github: Github["Service"]): Tool => ({
  ...tool,
  run: (input) =>
    Effect.gen(function* () {
      const turn = yield* TurnContext
      const refusal = yield* github
        .mayCommand(turn)
        .pipe(
          Effect.catch((e) =>
            Effect.succeed(`Permissions could not be looked up (${e.message}): try again.`),
          ),
        )
      return refusal === null ? yield* tool.run(input) : refused(refusal)
    }),
})

const refused = (content: string): ToolResult => ({ content, ok: false, exitCode: null })
