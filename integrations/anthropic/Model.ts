/**
 * The port to a language model: one streamed call of the Messages API. Requests are sent verbatim (P12): what the
 * conversation stored is what goes out, byte for byte, so that the prefix stays cached and accepted.
 * The adapter makes exactly one HTTP attempt; retrying is the turn's (one Schedule), guided by `ModelError.retry`.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Usage } from "../../runtime/index.ts"

/** A content block as the API writes it: text, tool_use, tool_result, thinking, image ... kept as it came. */
export type Block = { readonly type: string; readonly [key: string]: unknown }

export interface ModelMessage {
  readonly role: "user" | "assistant"
  readonly content: ReadonlyArray<Block>
}

export interface ToolSpec {
  readonly name: string
  readonly description: string
  readonly input_schema: Readonly<Record<string, unknown>>
}

export interface ModelRequest {
  readonly model: string
  readonly maxTokens: number
  /** The frozen system prompt of the segment, in order; the adapter puts cache breakpoints on system, tools and the last message. */
  readonly system: ReadonlyArray<string>
  readonly tools: ReadonlyArray<ToolSpec>
  readonly messages: ReadonlyArray<ModelMessage>
}

export type StopReason =
  | "end_turn"
  | "max_tokens"
  | "stop_sequence"
  | "tool_use"
  | "pause_turn"
  | "refusal"
  | "model_context_window_exceeded"
  | "unknown"

export interface ModelReply {
  readonly content: ReadonlyArray<Block>
  readonly stopReason: StopReason
  /** The API's own word, for `unknown` and for logs; the category for a refusal. */
  readonly stopDetail: string
  readonly usage: Usage
  readonly model: string
}

/**
 * What went wrong and what to do: `later` (the same call again, not before `afterMs` when the API named a time) or
 * `never` (the request, the key or the account must change first).
 */
export class ModelError extends Schema.TaggedError<ModelError>()("ModelError", {
  kind: Schema.Literals([
    "rate_limited",
    "overloaded",
    "server",
    "timeout",
    "connection",
    "invalid_request",
    "prefix_mismatch",
    "context_too_long",
    "too_large",
    "authentication",
    "permission",
    "billing",
    "unknown_model",
  ]),
  retry: Schema.Literals(["later", "never"]),
  afterMs: Schema.NullOr(Schema.Number),
  /** One plain sentence for people, with the next step. Never contains a key. */
  message: Schema.String,
  cause: Schema.Defect(),
}) {}

export class Model extends Context.Service<
  Model,
  {
    /**
     * **Contract:** `onText` is called synchronously for every text delta, in order, and must not throw. Models that
     * write their words between tool calls as thinking (Wire.ts) have these notes passed on too, each followed by a
     * blank line: what people see meanwhile is `onText`, what was said in the end are the text blocks of the reply.
     * Interrupting the effect aborts the HTTP request.
     */
    readonly call: (
      request: ModelRequest,
      onText: (delta: string) => void,
    ) => Effect.Effect<ModelReply, ModelError>
  }
>()("troupe/anthropic/Model") {}
