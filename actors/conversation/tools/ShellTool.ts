/** The agent's terminal. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { newId } from "../../../runtime/index.ts"
import type { CommandResult, Shell } from "../../sprite/index.ts"
import { schemaTool } from "./SchemaTool.ts"
import { TurnContext, type Tool } from "./Tool.ts"

const DEFAULT_SECONDS = 120

const Input = Schema.Struct({
  command: Schema.String.check(Schema.isMinLength(1)).annotate({ description: "Bash, one or more lines." }),
  timeout_seconds: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3600 })).annotate({
      description: `Default ${DEFAULT_SECONDS}. The command is stopped then; the shell stays.`,
    }),
  ),
})

export const shellTool = (shell: Shell["Service"]): Tool =>
  schemaTool({
    name: "shell",
    description:
      "Runs a command in your own bash on your own computer. Directory, exported variables and functions stay for the " +
      "next call, files stay for ever. There is no input and no terminal. Start servers with & and redirect their output.",
    input: Input,
    idempotent: false,
    parallel: false,
    summary: ({ command }) => command,
    run: ({ command, timeout_seconds }) =>
      Effect.gen(function* () {
        const { agent, thread } = yield* TurnContext
        const result = yield* shell.run({
          agent,
          thread,
          command,
          timeoutMs: (timeout_seconds ?? DEFAULT_SECONDS) * 1000,
          callId: newId(yield* Clock.currentTimeMillis),
        })
        return { content: asText(result), ok: result.exitCode === 0, exitCode: result.exitCode }
      }),
  })

const asText = ({ output, exitCode, cwd, notes }: CommandResult): string =>
  [
    ...notes.map((note) => `[note] ${note}`),
    ...(output === "" ? [] : [output.replace(/\n$/, "")]),
    `[${exitCode === null ? "outcome unknown" : `exit code ${exitCode}`}, now in ${cwd}]`,
  ].join("\n")
