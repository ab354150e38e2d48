/**
 * A tool whose input is a Schema: the JSON Schema for the model is derived from it, always the same bytes (P12), and
 * what the model sends is decoded by it. Input that does not fit is answered with everything that is wrong with it.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { SandboxError } from "../../../integrations/sprites/index.ts"
import type { StoreError } from "../../../runtime/index.ts"
import type { Tool, ToolResult, TurnContext } from "./Tool.ts"

/** Said to the model as it is. */
export class Refusal extends Schema.TaggedError<Refusal>()("Refusal", { message: Schema.String }) {}

export type ToolFailure = Refusal | SandboxError | StoreError

export interface SchemaToolOptions<I> {
  readonly name: string
  readonly description: string
  readonly input: Schema.ConstraintCodec<I, unknown>
  readonly idempotent: boolean
  readonly parallel: boolean
  readonly summary: (input: I) => string
  readonly run: (input: I) => Effect.Effect<ToolResult, ToolFailure, TurnContext>
}

export const schemaTool = <I>(options: SchemaToolOptions<I>): Tool => {
  const decode = Schema.decodeUnknownResult(options.input, { errors: "all", onExcessProperty: "error" })
  const { schema } = Schema.toJsonSchemaDocument(options.input, { onExcessProperty: "error" })
  return {
    spec: { name: options.name, description: options.description, input_schema: schema },
    idempotent: options.idempotent,
    parallel: options.parallel,
    summary: (input) =>
      Result.match(decode(input), {
        onSuccess: (valid) => oneLine(options.summary(valid)),
        onFailure: () => options.name,
      }),
    run: (input) =>
      Result.match(decode(input), {
        onSuccess: (valid) =>
          options.run(valid).pipe(Effect.catch((failure) => Effect.succeed(failed(withNextStep(failure))))),
        onFailure: (error) =>
          Effect.succeed(
            failed(`The input of ${options.name} is not valid, so nothing was done:\n${error.message}`),
          ),
      }),
  }
}

export const done = (content: string): ToolResult => ({ content, ok: true, exitCode: null })

const failed = (content: string): ToolResult => ({ content, ok: false, exitCode: null })

const withNextStep = (failure: ToolFailure): string =>
  failure._tag === "SandboxError" && failure.retry === "later"
    ? `${failure.message} Try again in a moment; check first whether it took effect.`
    : failure.message

const oneLine = (text: string): string => {
  const line = text.trim().replace(/\s*\n\s*/g, " ⏎ ")
  return line.length <= 200 ? line : `${line.slice(0, 199).toWellFormed()}…`
}
