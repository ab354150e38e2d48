import { expect, it } from "vitest"
import { Pace } from "./Pace.ts"

it("lets a burst through, then one at a time, and says how long to wait", () => {
  const pace = new Pace(3, 1000)
  expect([1, 2, 3].map(() => pace.take("eve", 0))).toEqual([0, 0, 0])
  expect(pace.take("eve", 0)).toBe(1000)
  expect(pace.take("eve", 400)).toBe(600)
  // Being refused costs nothing, and one speaker nothing to another.
  expect(pace.take("max", 400)).toBe(0)
  expect(pace.take("eve", 1000)).toBe(0)
  expect(pace.take("eve", 1000)).toBe(1000)
  // Silence saves up no more than the burst.
  expect([1, 2, 3, 4].map(() => pace.take("eve", 1_000_000))).toEqual([0, 0, 0, 1000])
})
