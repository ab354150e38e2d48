/** What every layer of `Accounts` promises; its clock is the test's. */
import { expect, layer as withLayer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { Accounts, idleMinutes, linkMinutes, longestMinutes } from "./Accounts.ts"

const linkMs = linkMinutes * 60_000
const idleMs = idleMinutes * 60_000
const absoluteMs = longestMinutes * 60_000

const entered = Effect.gen(function* () {
  const accounts = yield* Accounts
  return (yield* accounts.redeem(yield* accounts.issueLink(null), "a browser"))!.session
})

const lasts = (session: string) =>
  Effect.flatMap(Accounts, (accounts) => Effect.map(accounts.session(session), (known) => known !== null))

export const suite = (name: string, layer: Layer.Layer<Accounts>): void =>
  withLayer(layer)(`Accounts: ${name}`, (it) => {
    it.effect("a link works once", () =>
      Effect.gen(function* () {
        const accounts = yield* Accounts
        const link = yield* accounts.issueLink(null)
        const [first, second] = yield* Effect.all([accounts.redeem(link, ""), accounts.redeem(link, "")], {
          concurrency: "unbounded",
        })
        expect([first !== null, second !== null].sort()).toEqual([false, true])
        expect(yield* accounts.redeem("never issued", "")).toBeNull()
      }),
    )

    it.effect("a link expires", () =>
      Effect.gen(function* () {
        const accounts = yield* Accounts
        const link = yield* accounts.issueLink(null)
        yield* TestClock.adjust(linkMs)
        expect(yield* accounts.redeem(link, "")).toBeNull()
      }),
    )

    it.effect("a session ends when it is idle, and use keeps it alive", () =>
      Effect.gen(function* () {
        const session = yield* entered
        yield* TestClock.adjust(idleMs - 1)
        expect(yield* lasts(session)).toBe(true)
        yield* TestClock.adjust(idleMs - 1)
        expect(yield* lasts(session)).toBe(true)
        yield* TestClock.adjust(idleMs)
        expect(yield* lasts(session)).toBe(false)
      }),
    )

    it.effect("a session ends after the longest time, however busy", () =>
      Effect.gen(function* () {
        const session = yield* entered
        for (let spent = 0; spent < absoluteMs; spent += idleMs / 2) {
          expect(yield* lasts(session)).toBe(true)
          yield* TestClock.adjust(idleMs / 2)
        }
        expect(yield* lasts(session)).toBe(false)
      }),
    )

    it.effect("one session, or all of them, can be ended", () =>
      Effect.gen(function* () {
        const accounts = yield* Accounts
        const [one, two, three] = [yield* entered, yield* entered, yield* entered]
        yield* accounts.end(one)
        expect([yield* lasts(one), yield* lasts(two)]).toEqual([false, true])
        yield* accounts.endAll(null)
        expect([yield* lasts(two), yield* lasts(three)]).toEqual([false, false])
        expect(yield* lasts(yield* entered)).toBe(true)
      }),
    )
  })
