/**
 * `Model` without a network, for tests and for thousands of interleavings under TestClock: `respond` is the model, and
 * the text of its reply goes through `onText` word by word, as from a stream.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Model } from "./Model.ts"
import type { Block, ModelError, ModelReply, ModelRequest } from "./Model.ts"

export const layerMemory = (
  respond: (request: ModelRequest) => Effect.Effect<ModelReply, ModelError>,
): Layer.Layer<Model> =>
  Layer.succeed(
    Model,
    Model.of({
      call: Effect.fnUntraced(function* (request, onText) {
        const reply = yield* respond(request)
        for (const block of reply.content)
          if (block.type === "text")
            for (const word of String(block["text"]).match(/\S*\s*/g) ?? []) if (word) onText(word)
        return reply
      }),
    }),
  )

/** A reply that ends the turn with these words. */
export const replyOf = (text: string, more: Partial<ModelReply> = {}): ModelReply => ({
  content: [{ type: "text", text } satisfies Block],
  stopReason: "end_turn",
  stopDetail: "end_turn",
  usage: { input: 1, output: 1, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 },
  model: "memory",
  ...more,
})
