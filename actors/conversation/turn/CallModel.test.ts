import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { layerMemory, ModelError, priceAt, replyOf } from "../../../integrations/anthropic/index.ts"
import { callModel } from "./CallModel.ts"
import type { Work } from "./Work.ts"

const price = priceAt("claude-sonnet-5-5", new Date("2026-11-24"))!
const work = {
  frozen: { model: "claude-sonnet-5-5", system: [], tools: [] },
  lines: [{ role: "user", content: [{ type: "text", text: "hi" }], heard: 1 }],
  tokens: 100,
} as unknown as Work
const error = (over: Partial<ModelError> = {}) =>
  new ModelError({
    kind: "overloaded",
    retry: "later",
    afterMs: null,
    message: "The model is overloaded at the moment.",
    cause: null,
    ...over,
  })

/** The times, in seconds, at which the model was called; every call up to `failures` fails. */
const run = Effect.fnUntraced(function* (failures: number, failure: ModelError) {
  const at: Array<number> = []
  const fiber = yield* callModel(work, price, 1_000_000, { say: () => {}, hold: () => {} }).pipe(
    Effect.result,
    Effect.provide(
      layerMemory(() =>
        Effect.gen(function* () {
          at.push((yield* Clock.currentTimeMillis) / 1000)
          return at.length > failures ? replyOf("Here.") : yield* failure
        }),
      ),
    ),
    Effect.forkChild,
  )
  yield* TestClock.adjust("2 hours")
  const result = yield* Fiber.join(fiber)
  return { at, result: result._tag }
})
const between = (waited: number, least: number, most: number) => {
  expect(waited).toBeGreaterThanOrEqual(least)
  expect(waited).toBeLessThanOrEqual(most)
}

it.effect("repeats a call that may be repeated, each time after a longer pause", () =>
  Effect.gen(function* () {
    const { at, result } = yield* run(3, error())
    expect(result).toBe("Success")
    expect(at.length).toBe(4)
    between(at[1]! - at[0]!, 0.8, 1.2)
    between(at[2]! - at[1]!, 3.2, 4.8)
    between(at[3]! - at[2]!, 12, 18)
  }),
)

it.effect("gives up after five repeats", () =>
  Effect.gen(function* () {
    const { at, result } = yield* run(Infinity, error())
    expect([result, at.length]).toEqual(["Failure", 6])
  }),
)

it.effect("never calls before the time the API named", () =>
  Effect.gen(function* () {
    const { at, result } = yield* run(1, error({ afterMs: 90_000 }))
    expect(result).toBe("Success")
    between(at[1]! - at[0]!, 90, 90.01)
  }),
)

it.effect("does not wait for ever where the API names a time that is too far away", () =>
  Effect.gen(function* () {
    const { at, result } = yield* run(1, error({ afterMs: 3_600_000 }))
    expect([result, at.length]).toEqual(["Failure", 1])
  }),
)

it.effect("all repeats together begin within ten minutes", () =>
  Effect.gen(function* () {
    const { at, result } = yield* run(Infinity, error({ afterMs: 200_000 }))
    expect([result, at.length]).toEqual(["Failure", 4])
  }),
)

it.effect("makes one call where another would be refused as well", () =>
  Effect.gen(function* () {
    const { at, result } = yield* run(Infinity, error({ retry: "never" }))
    expect([result, at.length]).toEqual(["Failure", 1])
  }),
)
