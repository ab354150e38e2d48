/**
 * One model step: the request from the work, streamed, repeated while the API says "later". At most five repeats over
 * about ten minutes; then the turn is parked and the room is told. An interruption aborts the request.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import {
  affordableTokens,
  Model,
  type ModelError,
  type ModelReply,
  type ModelRequest,
  type Price,
} from "../../../integrations/anthropic/index.ts"
import type { Live } from "./Live.ts"
import { mostTokens } from "./Money.ts"
import { messagesOf, type Work } from "./Work.ts"

/** Waits before the repeats, in milliseconds, unless the API names a longer one. */
const waits = [1_000, 4_000, 15_000, 60_000, 240_000]

export const callModel = Effect.fn("Turn.callModel")(function* (
  work: Work,
  price: Price,
  granted: number,
  live: Live,
) {
  const model = yield* Model
  const request: ModelRequest = {
    model: work.frozen.model,
    maxTokens: Math.max(1, affordableTokens(price, work.tokens, mostTokens, granted)),
    system: work.frozen.system,
    tools: work.frozen.tools,
    messages: messagesOf(work.lines),
  }
  const attempt = (n: number): Effect.Effect<ModelReply, ModelError> =>
    model.call(request, live.say).pipe(
      Effect.catch((error) => {
        const wait = waits[n]
        if (error.retry === "never" || wait === undefined) return Effect.fail(error)
        return Effect.logInfo(`model: ${error.message} Trying again.`).pipe(
          Effect.andThen(Random.nextBetween(0.8, 1.2)),
          Effect.flatMap((jitter) => Effect.sleep(Math.max(error.afterMs ?? 0, wait * jitter))),
          Effect.andThen(attempt(n + 1)),
        )
      }),
    )
  return yield* attempt(0)
})
