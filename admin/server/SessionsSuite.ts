/** What every layer of `Sessions` promises. */
import { expect, layer as withLayer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { absoluteMs, idleMs, linkMs, Sessions } from "./Sessions.ts"

const entered = Effect.gen(function* () {
  const sessions = yield* Sessions
  return Option.getOrThrow(yield* sessions.redeem(yield* sessions.issueLink))
})

export const suite = (name: string, layer: Layer.Layer<Sessions>): void =>
  withLayer(layer)(`Sessions: ${name}`, (it) => {
    it.effect("a link works once", () =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const link = yield* sessions.issueLink
        const [first, second] = yield* Effect.all([sessions.redeem(link), sessions.redeem(link)], {
          concurrency: "unbounded",
        })
        expect([Option.isSome(first), Option.isSome(second)].sort()).toEqual([false, true])
        expect(Option.isNone(yield* sessions.redeem("never issued"))).toBe(true)
      }),
    )

    it.effect("a link expires", () =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const link = yield* sessions.issueLink
        yield* TestClock.adjust(linkMs)
        expect(Option.isNone(yield* sessions.redeem(link))).toBe(true)
      }),
    )

    it.effect("a session ends when it is idle, and use keeps it alive", () =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const session = yield* entered
        yield* TestClock.adjust(idleMs - 1)
        expect(yield* sessions.touch(session)).toBe(true)
        yield* TestClock.adjust(idleMs - 1)
        expect(yield* sessions.touch(session)).toBe(true)
        yield* TestClock.adjust(idleMs)
        expect(yield* sessions.touch(session)).toBe(false)
      }),
    )

    it.effect("a session ends after the longest time, however busy", () =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const session = yield* entered
        for (let spent = 0; spent < absoluteMs; spent += idleMs / 2) {
          expect(yield* sessions.touch(session)).toBe(true)
          yield* TestClock.adjust(idleMs / 2)
        }
        expect(yield* sessions.touch(session)).toBe(false)
      }),
    )

    it.effect("one session, or all of them, can be ended", () =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const [one, two, three] = [yield* entered, yield* entered, yield* entered]
        yield* sessions.end(one)
        expect([yield* sessions.touch(one), yield* sessions.touch(two)]).toEqual([false, true])
        yield* sessions.endAll
        expect([yield* sessions.touch(two), yield* sessions.touch(three)]).toEqual([false, false])
        expect(yield* sessions.touch(yield* entered)).toBe(true)
      }),
    )
  })
