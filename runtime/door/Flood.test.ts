import * as fc from "fast-check"
import { expect, test } from "vitest"
import { Flood, type CallKind } from "./Flood.ts"

/** How many of these calls go at `now`. */
const go = (flood: Flood, kind: CallKind, times: number, now: number) =>
  Array.from({ length: times }).filter(() => flood.take(kind, now) === 0).length

test("there is no limit until the platform asks to slow down", () => {
  expect(go(new Flood(), "progress", 10_000, 0)).toBe(10_000)
})

test("what went through in the last second is the budget afterwards, last words first", () => {
  const flood = new Flood()
  expect(go(flood, "create", 31, 0)).toBe(31)
  flood.refused("a", true, 2_000, 100)
  expect(flood.take("final", 100)).toBe(2_000)
  // 30 a second: after half a second there are 15.
  expect(go(flood, "progress", 20, 2_600)).toBe(0)
  expect(go(flood, "create", 20, 2_600)).toBe(9)
  expect(go(flood, "final", 20, 2_600)).toBe(6)
})

test("a budget grows while nothing is refused, and is forgotten in the end", () => {
  const flood = new Flood()
  go(flood, "final", 11, 0)
  flood.refused("a", true, 0, 0)
  expect(go(flood, "final", 50, 1_000)).toBe(10)
  flood.take("final", 60_000)
  expect(go(flood, "final", 50, 70_000)).toBe(19)
  flood.take("final", 600_000)
  expect(go(flood, "progress", 1_000, 600_001)).toBe(1_000)
})

test("a refusal of one channel slows down its progress only, and passes", () => {
  const flood = new Flood()
  flood.refused("a", false, 5_000, 0)
  flood.refused("a", false, 5_000, 0)
  expect([flood.factor("a", 0), flood.factor("b", 0), flood.take("progress", 0)]).toEqual([4, 1, 0])
  expect([flood.factor("a", 60_000), flood.factor("a", 120_000)]).toEqual([2, 1])
})

test("whatever is refused, the last words of a message go within a few seconds", () => {
  const step = fc.record({
    kind: fc.constantFrom<CallKind>("final", "create", "progress"),
    wait: fc.nat(3_000),
    refused: fc.boolean(),
    everywhere: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const flood = new Flood()
      let now = 0
      for (const { kind, wait, refused, everywhere } of steps) {
        now += wait
        if (flood.take(kind, now) === 0 && refused) flood.refused("a", everywhere, 1_000, now)
      }
      for (let tries = 0; ; tries++) {
        const wait = flood.take("final", now)
        if (wait === 0) break
        expect(tries).toBeLessThan(4)
        now += wait
      }
    }),
  )
})
