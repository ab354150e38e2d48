/**
 * One model step: the request from the work, streamed, repeated while the API says "later". At most five repeats over
 * about ten minutes, none before the time the API named; then the turn is parked and the room is told. An interruption
 * aborts the request or the wait.
 */
import * as Clock from "effect/Clock"
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
/** No repeat begins later than this after the first failure. */
const patience = 600_000

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
  const attempt = (n: number, until: number | undefined): Effect.Effect<ModelReply, ModelError> =>
    Effect.catch(model.call(request, live.say), (error) =>
      Effect.gen(function* () {
        const wait = waits[n]
        if (error.retry === "never" || wait === undefined) return yield* error
        const now = yield* Clock.currentTimeMillis
        const end = until ?? now + patience
        const pause = Math.max(error.afterMs ?? 0, wait * (yield* Random.nextBetween(0.8, 1.2)))
        if (now + pause > end) return yield* error
        yield* Effect.logInfo(`model: ${error.message} Trying again in ${Math.ceil(pause / 1000)} s.`)
        yield* Effect.sleep(pause)
        return yield* attempt(n + 1, end)
      }),
    )
  const reply = yield* attempt(0, undefined)
  // Tools may take long: what was said before them is told. Anything else is said for good in a moment.
  if (reply.stopReason !== "tool_use") live.hold()
  return reply
})
