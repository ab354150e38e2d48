import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { mentionsIn } from "./Address.ts"
import type { AgentId } from "./Id.ts"

const ada = { id: "a1" as AgentId, name: "ada" }
const bo = { id: "b1" as AgentId, name: "bo" }

const named = (text: string) => mentionsIn(text, [ada, bo])

describe("mentionsIn", () => {
  test.each([
    ["@ada hello", [ada.id]],
    ["hello @ADA, and @bo!", [ada.id, bo.id]],
    ["(@ada's) @ada-", [ada.id]],
    ["me@ada.example ada @adam @@ada /@ada x@bo", []],
    ["", []],
  ])("%j", (text, ids) => {
    expect(named(text)).toEqual(ids)
  })

  test("finds a name between any words that stand apart, once, and never somebody else", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const text = `${before.replaceAll("@", "")} @ada ${after.replaceAll("@", "")}`
        expect(named(text)).toEqual([ada.id])
        expect(named(text.replace("@", ""))).toEqual([])
      }),
    )
  })
})
