import { describe, expect, it } from "@effect/vitest"
import { estimateContentTokens, estimateTokens } from "./Estimate.ts"

describe("the estimate of tokens", () => {
  it("is more than a text has", () => {
    expect(estimateTokens("")).toBe(0)
    expect(estimateTokens("The quick brown fox jumps over the lazy dog.")).toBeGreaterThanOrEqual(10)
    // About 1.2 tokens per character in current tokenizers.
    expect(estimateTokens("漢字")).toBeGreaterThanOrEqual(3)
  })

  it("takes a picture for what it is billed, not for its bytes", () => {
    const picture = (bytes: number) => [
      { type: "image", source: { type: "base64", media_type: "image/png", data: "A".repeat(bytes) } },
    ]
    expect(estimateContentTokens(picture(3_000_000))).toBe(estimateContentTokens(picture(10)))
    expect(estimateContentTokens(picture(10))).toBeGreaterThanOrEqual(4_784)
  })

  it("counts everything that is not a picture by its bytes", () => {
    const content = [{ role: "user", content: [{ type: "text", text: "x".repeat(1000) }] }]
    expect(estimateContentTokens(content)).toBe(estimateTokens(JSON.stringify(content)))
    expect(estimateContentTokens(undefined)).toBe(0)
  })
})
