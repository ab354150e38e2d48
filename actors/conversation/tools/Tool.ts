/**
 * What a tool is to the turn: a name and JSON Schema for the model, and one effect that never fails: what goes wrong
 * is a result the model reads. `idempotent` tools are repeated after a crash, others answer "outcome unknown" (P6).
 * `parallel` tools of one round run beside each other.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { AgentId, Attachment, DoorId, EventId, ThreadId, TurnId } from "../../../runtime/index.ts"
import type { Block, ToolSpec } from "../../../integrations/anthropic/index.ts"

export interface ToolResult {
  /** Text, or content blocks where the model should see an image. Already capped (head and tail). */
  readonly content: string | ReadonlyArray<Block>
  readonly ok: boolean
  readonly exitCode: number | null
}

export interface Tool {
  readonly spec: ToolSpec
  readonly idempotent: boolean
  readonly parallel: boolean
  /** The call in one line, for receipts: the command, the path. Input is what the model sent, unchecked. */
  readonly summary: (input: unknown) => string
  readonly run: (input: unknown) => Effect.Effect<ToolResult, never, TurnContext>
}

/** Who works for whom, given to every tool (P13: rights are looked up for `principal` at each call). */
export class TurnContext extends Context.Service<
  TurnContext,
  {
    readonly agent: AgentId
    readonly agentName: string
    readonly door: DoorId
    readonly thread: ThreadId
    readonly turn: TurnId
    /** The message that is answered. */
    readonly event: EventId
    /** The call itself, and its number in the turn. */
    readonly call: string
    readonly n: number
    readonly fence: number
    /** The person the turn acts for: `<door>:<numeric id>`. */
    readonly principal: string
    readonly root: EventId
    readonly hop: number
    /** Files that came with the words of this turn, newest last. */
    readonly attachments: ReadonlyArray<Attachment>
  }
>()("troupe/conversation/TurnContext") {}
