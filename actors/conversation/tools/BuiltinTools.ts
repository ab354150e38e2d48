/** The tools that every agent has, in the order in which the model sees them. */
import * as Effect from "effect/Effect"
import { Blobs, Roster, type Courier, type Journal, type Sql } from "../../../runtime/index.ts"
import { Shell } from "../../sprite/index.ts"
import { attachmentTool } from "./AttachmentTool.ts"
import { editFileTool } from "./EditFile.ts"
import { globTool } from "./GlobTool.ts"
import { grepTool } from "./GrepTool.ts"
import { inviteTool } from "./InviteTool.ts"
import { listTool } from "./ListTool.ts"
import { readFileTool } from "./ReadFile.ts"
import { sendFileTool } from "./SendFile.ts"
import { shareFileTool } from "./ShareFile.ts"
import { shellTool } from "./ShellTool.ts"
import type { Tool } from "./Tool.ts"
import { writeFileTool } from "./WriteFile.ts"

/** Those that work on the agent's own computer. */
export const sandboxTools: Effect.Effect<ReadonlyArray<Tool>, never, Shell | Blobs> = Effect.gen(
  function* () {
    const shell = yield* Shell
    const blobs = yield* Blobs
    return [
      shellTool(shell),
      readFileTool(shell),
      writeFileTool(shell),
      editFileTool(shell),
      listTool(shell),
      globTool(shell),
      grepTool(shell),
      attachmentTool(shell, blobs),
    ]
  },
)

export const builtinTools: Effect.Effect<
  ReadonlyArray<Tool>,
  never,
  Shell | Blobs | Courier | Journal | Roster | Sql
> = Effect.gen(function* () {
  const shell = yield* Shell
  return [
    ...(yield* sandboxTools),
    sendFileTool(shell, yield* Roster),
    yield* shareFileTool(shell, yield* Blobs),
    yield* inviteTool,
  ]
})
