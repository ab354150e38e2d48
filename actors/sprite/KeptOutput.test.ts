import { describe, expect, it } from "vitest"
import * as fc from "fast-check"
import { KeptOutput } from "./KeptOutput.ts"
import { capText, shownOutput, visibleText } from "./VisibleText.ts"

describe("KeptOutput", () => {
  it("keeps the beginning and at least the tail, and counts the rest, however the output is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), (chunks) => {
        const kept = new KeptOutput(16, 8)
        for (const chunk of chunks) kept.append(chunk)
        const all = Buffer.concat(chunks)
        const { first, dropped, last } = kept.parts
        expect(kept.total).toBe(all.length)
        expect(first).toEqual(all.subarray(0, 16))
        expect(first.length + dropped + last.length).toBe(all.length)
        expect(dropped).toBeGreaterThanOrEqual(0)
        expect(last).toEqual(all.subarray(all.length - last.length))
        expect(last.length).toBeGreaterThanOrEqual(Math.min(8, Math.max(0, all.length - 16)))
        expect(last.length).toBeLessThanOrEqual(16)
      }),
    )
  })

  it("takes a flood of small chunks in bounded memory", () => {
    const kept = new KeptOutput(1000, 1000)
    for (let i = 0; i < 100_000; i++) kept.append(Buffer.from(`${i}\n`))
    expect(kept.bytes.length).toBeLessThan(3_100)
    expect(kept.bytes.toString()).toMatch(/^0\n1\n[^]*bytes were not kept[^]*99999\n$/)
  })
})

describe("visibleText", () => {
  it("gives valid text back as it is, and bytes that are not text as escapes", () => {
    expect(visibleText(Buffer.from("ä €\t😀\n"))).toBe("ä €\t😀\n")
    expect(visibleText(Buffer.from([0x61, 0, 0xff, 0xc3, 0xa9, 0xe2, 0x82]))).toBe("a\\x00\\xffé\\xe2\\x82")
    expect(visibleText(Buffer.from("\x1b[31mred\x1b[0m \x1b]0;title\x07end"))).toBe("red end")
    expect(visibleText(Buffer.from("10%\r50%\r100%\ndone\r\n"))).toBe("100%\ndone\n")
  })

  it("never makes text that a database refuses", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = visibleText(bytes)
        expect(text).not.toContain("\0")
        expect(text.isWellFormed()).toBe(true)
      }),
    )
  })

  it("caps a text at its beginning and end, between characters", () => {
    const capped = capText("😀".repeat(1000), 101, "/file")
    expect(capped.isWellFormed()).toBe(true)
    expect(capped.length).toBeLessThan(101 + 80)
    expect(capped).toContain("read them in /file")
    expect(capText("short", 100, null)).toBe("short")
  })

  it("shows a large output without looking at its middle", () => {
    const kept = new KeptOutput(2_000_000, 2_000_000)
    kept.append(Buffer.from(`begin${"\x00".repeat(3_000_000)}end`))
    const shown = shownOutput(kept, 1000, "/file")
    expect(shown.complete).toBe(false)
    expect(shown.text).toMatch(/^begin\\x00[^]*middle of 3000008 bytes[^]*\/file[^]*\\x00end$/)
  })
})
