import { createRequire } from "node:module"
import { describe, expect, it } from "vitest"
import { deliveryOf, storedDelivery } from "./Delivery.ts"
import { decodePayload, gist, knownEvents } from "./Payload.ts"
import { read } from "./Read.ts"

interface Example {
  readonly name: string
  readonly examples: ReadonlyArray<object>
}
const published = createRequire(import.meta.url)("@octokit/webhooks-examples") as ReadonlyArray<Example>
const context = { appId: 1, botId: 2, slug: "troupe-app", members: [], workLabel: "agent" }

describe("the payloads that GitHub's community publishes", () => {
  it("all decode: those we know to what we read, the others to what they are about", () => {
    const failed: Array<string> = []
    let [known, other] = [0, 0]
    for (const { name, examples } of published)
      for (const [i, example] of examples.entries()) {
        const delivery = deliveryOf("guid-1", name, example)
        if (delivery === undefined) failed.push(`${name} ${i}: no delivery`)
        else if ((knownEvents as ReadonlyArray<string>).includes(name)) {
          known++
          if (delivery.payload === null) failed.push(`${name} ${i}`)
        } else {
          other++
          expect(gist(name, example).event).toBe(name)
        }
      }
    expect(failed).toEqual([])
    expect(known).toBeGreaterThan(60)
    expect(other).toBeGreaterThan(200)
  })

  it("are read without a flaw, and as from the inbox after a restart", () => {
    for (const { name, examples } of published)
      for (const example of examples) {
        const payload = decodePayload(name, example)
        if (payload === undefined) continue
        const heard = read(payload, context)
        const stored = JSON.parse(JSON.stringify(deliveryOf("guid-1", name, example)!.raw)) as object
        expect(read(storedDelivery("guid-1", stored).payload!, context)).toEqual(heard)
      }
  })

  it("what is no delivery is told from what is", () => {
    expect(deliveryOf(undefined, "issues", {})).toBeUndefined()
    expect(deliveryOf("guid", undefined, {})).toBeUndefined()
    expect(deliveryOf("gu id\n", "issues", {})).toBeUndefined()
    expect(deliveryOf("guid", "issues", "text")).toBeUndefined()
    expect(deliveryOf("guid", "never_heard_of", { a: 1 })?.payload).toBeNull()
    expect(deliveryOf("guid", "issues", { action: "opened", issue: { id: "x" } })?.payload).toBeNull()
    expect(deliveryOf("guid", "constructor", {})?.payload).toBeNull()
  })
})
