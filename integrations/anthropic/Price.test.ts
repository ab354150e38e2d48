import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { Usage } from "../../runtime/index.ts"
import { affordableTokens, costMicros, priceAt, priceRows, worstCaseMicros } from "./Price.ts"
import type { Price } from "./Price.ts"

const day = (date: string) => new Date(`${date}T12:00:00Z`)
const usage = (part: Partial<Usage>): Usage => ({
  input: 0,
  output: 0,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  ...part,
})
const price = (model: string, date = "2026-11-22"): Price => {
  const found = priceAt(model, day(date))
  if (found === undefined) throw new Error(`no price for ${model}`)
  return found
}

const tokens = fc.integer({ min: 0, max: 1_000_000 })
const someUsage = fc.record({
  input: tokens,
  output: tokens,
  cacheRead: tokens,
  cacheWrite5m: tokens,
  cacheWrite1h: tokens,
})
const somePrice = fc
  .constantFrom(...new Set(priceRows.map(({ model }) => model)))
  .map((model) => price(model))

describe("price", () => {
  it("knows no price for a model without a row, nor for one before its day", () => {
    expect(priceAt("my-model", day("2026-11-22"))).toBeUndefined()
    expect(priceAt("claude-sonnet-5-5", day("2026-09-27"))).toBeUndefined()
    expect(priceAt("toString", day("2026-11-22"), {})).toBeUndefined()
  })

  it("follows a price that changed in mid-life", () => {
    expect(price("claude-sonnet-5-5", "2026-10-06").cacheRead).toBe(0.2)
    expect(price("claude-sonnet-5-5", "2026-10-07").cacheRead).toBe(0.1)
  })

  it("takes the operator's price, and the dear side of what it leaves out", () => {
    const own = priceAt("my-model", day("2026-11-22"), { "my-model": { input: 1, output: 5 } })
    expect(own).toEqual({ input: 1, output: 5, cacheRead: 1, cacheWrite5m: 1.25, cacheWrite1h: 2 })
  })

  it("bills the rehearsal like any model, at nothing", () => {
    expect(costMicros(price("rehearsal"), usage({ input: 1_000_000, output: 1_000_000 }))).toBe(0)
    expect(affordableTokens(price("rehearsal"), 1_000_000, 8_000, 0)).toBe(8_000)
  })

  it("bills each kind of token at its own rate", () => {
    const one = usage({ input: 1000, output: 100, cacheRead: 10_000, cacheWrite5m: 200, cacheWrite1h: 50 })
    expect(costMicros(price("claude-opus-5-5"), one)).toBe(4000 + 2000 + 2000 + 1000 + 400)
  })

  it("bills the whole call of Haiku 5.5 fivefold once its prompt is over 100,000 tokens", () => {
    const haiku = price("claude-haiku-5-5")
    expect(costMicros(haiku, usage({ input: 60_000, cacheRead: 40_000, output: 1000 }))).toBe(
      6000 + 400 + 500,
    )
    expect(costMicros(haiku, usage({ input: 60_000, cacheRead: 40_001, output: 1000 }))).toBe(
      30_000 + 2001 + 2500,
    )
  })

  it("rounds up to a whole micro-dollar, once per call", () => {
    expect(costMicros(price("claude-haiku-5-5"), usage({ cacheRead: 1 }))).toBe(1)
    expect(costMicros(price("claude-haiku-5-5"), usage({ cacheRead: 100, cacheWrite5m: 8 }))).toBe(2)
  })

  it("counts exactly: as in integer arithmetic of any size", () => {
    fc.assert(
      fc.property(somePrice, someUsage, (given, used) => {
        const prompt = used.input + used.cacheRead + used.cacheWrite5m + used.cacheWrite1h
        const at = given.above && prompt > given.above.tokens ? given.above : given
        const parts = (["input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h"] as const).map(
          (key) => BigInt(used[key]) * BigInt((at[key] * 1000).toFixed(0)),
        )
        const total = parts.reduce((sum, part) => sum + part, 0n)
        expect(BigInt(costMicros(given, used))).toBe((total + 999n) / 1000n)
      }),
    )
  })

  it("never bills more than the worst case of the same prompt without 1-hour writes", () => {
    fc.assert(
      fc.property(somePrice, someUsage, fc.integer({ min: 0, max: 100_000 }), (given, used, slack) => {
        const billed = { ...used, cacheWrite1h: 0 }
        const prompt = billed.input + billed.cacheRead + billed.cacheWrite5m
        const worst = worstCaseMicros(given, prompt + slack, billed.output)
        expect(costMicros(given, billed)).toBeLessThanOrEqual(worst)
      }),
    )
  })

  it("affords the most tokens that fit, and not one more", () => {
    fc.assert(
      fc.property(
        somePrice,
        tokens,
        fc.integer({ min: 1, max: 128_000 }),
        tokens,
        (given, input, wanted, left) => {
          const fit = affordableTokens(given, input, wanted, left)
          expect(fit).toBeLessThanOrEqual(wanted)
          if (fit > 0) expect(worstCaseMicros(given, input, fit)).toBeLessThanOrEqual(left)
          if (fit < wanted) expect(worstCaseMicros(given, input, fit + 1)).toBeGreaterThan(left)
        },
      ),
    )
  })
})
