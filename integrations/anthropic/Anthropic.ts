/**
 * `Model` on the Anthropic Messages API, with the vendor's SDK: one HTTP attempt per call, streamed, through our own
 * keep-alive `fetch`. This file is the one bridge between the SDK's promises and Effect; the SDK is loaded when the
 * layer is built, so that importing this folder stays cheap.
 */
import type { RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { keepAliveFetch } from "../../runtime/index.ts"
import { Assembly } from "./Assembly.ts"
import { failureOf, truncated } from "./Failure.ts"
import { Model } from "./Model.ts"
import type { ModelReply, ModelRequest } from "./Model.ts"
import { bodyOf, hasNotes, notesBeta } from "./Wire.ts"

export interface AnthropicOptions {
  readonly apiKey: Redacted.Redacted
  /** `https://api.anthropic.com` when absent; the rehearsal model's or a gateway's address. */
  readonly baseUrl?: string
  /** Silence before the first byte of an answer. The API sends its head before the model thinks. */
  readonly firstByteMs?: number
  /** Silence in the stream; the API sends pings while the model thinks. */
  readonly idleMs?: number
}

export const layer = (options: AnthropicOptions): Layer.Layer<Model> =>
  Layer.effect(
    Model,
    Effect.gen(function* () {
      const fetch = yield* keepAliveFetch({
        firstByteMs: options.firstByteMs ?? 90_000,
        idleMs: options.idleMs ?? 90_000,
      })
      const { default: Anthropic } = yield* Effect.promise(() => import("@anthropic-ai/sdk"))
      const client = new Anthropic({
        apiKey: Redacted.value(options.apiKey),
        baseURL: options.baseUrl ?? "https://api.anthropic.com",
        maxRetries: 0,
        logLevel: "off",
        openTelemetry: false,
        fetch,
      })

      const exchange = async (
        request: ModelRequest,
        onText: (delta: string) => void,
        signal: AbortSignal,
      ): Promise<ModelReply | null> => {
        const notes = hasNotes(request.model)
        const stream = (await client.post("/v1/messages", {
          body: bodyOf(request),
          stream: true,
          signal,
          ...(notes && { headers: { "anthropic-beta": notesBeta } }),
        })) as AsyncIterable<RawMessageStreamEvent>
        const assembly = new Assembly(onText, notes)
        for await (const event of stream) assembly.push({ ...event })
        return assembly.reply()
      }

      return Model.of({
        call: Effect.fn("Model.call")(function* (request, onText) {
          const reply = yield* Effect.tryPromise({
            try: (signal) => exchange(request, onText, signal),
            catch: (cause) => cause,
          }).pipe(
            Effect.catch((cause) =>
              Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(failureOf(cause, now))),
            ),
          )
          return reply ?? (yield* truncated())
        }),
      })
    }),
  )
