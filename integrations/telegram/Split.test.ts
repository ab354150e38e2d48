import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { check } from "../../infra/emulators/telegram/EntityCheck.ts"
import { format } from "./Entities.ts"
import { markdown } from "./markdown.arbitrary.ts"
import { cut, maxSignature, maxText, split } from "./Split.ts"

const noSpace = (text: string) => text.replace(/\s/g, "")
const words = (n: number) => Array.from({ length: n }, (_, i) => `word${i}`).join(" ")

const holds = (source: string): void => {
  const slices = cut(source)
  expect(slices.map(({ from, to }) => source.slice(from, to)).join("")).toBe(source)
  const parts = split(source)
  expect(parts).toEqual(split(source))
  for (const part of parts) {
    const { text, entities } = format(part)
    expect(text.length).toBeLessThanOrEqual(maxText - maxSignature)
    if (text !== "") check(text, [...entities])
  }
  for (const { from } of slices)
    expect(/^[\udc00-\udfff]/.test(source.slice(from)) && source.isWellFormed()).toBe(false)
}

describe("split", () => {
  test("a short answer is one part, unchanged", () => {
    expect(split("**hello**\n")).toEqual(["**hello**\n"])
    expect(split("")).toEqual([""])
  })

  test("plain parts joined are the source, cut between paragraphs", () => {
    const source = Array.from({ length: 30 }, (_, i) => `${i} ${words(60)}`).join("\n\n")
    const parts = split(source)
    expect(parts.join("")).toBe(source)
    expect(parts.length).toBe(Math.ceil(source.length / (maxText - maxSignature)))
    for (const part of parts.slice(0, -1)) expect(part.endsWith("\n\n")).toBe(true)
  })

  test("a code block that fits is moved to the next part as a whole", () => {
    const block = `\`\`\`ts\n${"let a = 1\n".repeat(200)}\`\`\``
    const parts = split(`${words(350)}\n\n${block}\n\nend`)
    expect(parts).toHaveLength(2)
    expect(parts[1]).toBe(`${block}\n\nend`)
  })

  test("a code block longer than a message is closed and opened again, with its language", () => {
    const code = Array.from({ length: 1000 }, (_, i) => `line(${i})`).join("\n")
    const source = `before\n\n\`\`\`ts\n${code}\n\`\`\`\n\nafter`
    holds(source)
    const parts = split(source).map(format)
    expect(parts.length).toBeGreaterThan(2)
    for (const { entities } of parts) expect(entities).toMatchObject([{ type: "pre", language: "ts" }])
    expect(noSpace(parts.map(({ text }) => text).join(""))).toBe(noSpace(format(source).text))
    expect(parts.at(-1)?.text.endsWith("\n\nafter")).toBe(true)
  })

  test("emphasis and links are not divided while there is another place", () => {
    const source = `${"x".repeat(2000)} ${"y ".repeat(800)}**${words(80)}** ${words(300)} [${words(40)}](https://a.b) end`
    const whole = format(source).entities.map(({ type }) => type)
    expect(split(source).flatMap((part) => format(part).entities.map(({ type }) => type))).toEqual(whole)
  })

  test("a word of 10,000 emoji is cut between them", () => {
    const source = "😀".repeat(10_000)
    holds(source)
    expect(split(source).join("")).toBe(source)
    for (const part of split(source)) expect(part.isWellFormed()).toBe(true)
  })

  test("many hidden links do not make many messages", () => {
    expect(split(`[a](https://example.org/${"p".repeat(200)}) `.repeat(50))).toHaveLength(1)
  })

  test("no part is nothing but space", () => {
    for (const source of [`a${"\n".repeat(9000)}b`, `${" ".repeat(9000)}b`, `a\n\n${" \n".repeat(6000)}`]) {
      holds(source)
      for (const part of split(source)) expect(part.trim()).not.toBe("")
    }
  })

  test("a megabyte takes well under ten seconds", () => {
    const source =
      `# Title\n\nSome *words* with \`code\` and a [link](https://a.b).\n\n- one\n- two\n\n`.repeat(14_000)
    const started = performance.now()
    const parts = split(source)
    expect(parts.join("")).toBe(source)
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test("joined, the slices are the source, and each part fits, whatever is written", () => {
    const long = fc
      .array(
        fc.oneof(
          markdown(30),
          fc.nat({ max: 1500 }).map(words),
          fc.nat({ max: 3000 }).map((n) => "z".repeat(n)),
        ),
        { minLength: 1, maxLength: 12 },
      )
      .map((parts) => parts.join("\n"))
    fc.assert(fc.property(long, holds), { numRuns: 60 })
  })

  test("what is read joined is what would be read whole, for well-formed answers", () => {
    const block = fc.oneof(
      fc.nat({ max: 400 }).map(words),
      fc.nat({ max: 80 }).map((n) => `**${words(n + 1)}** and \`${words(n + 1)}\``),
      fc.nat({ max: 300 }).map((n) => `\`\`\`py\n${"print(1)\n".repeat(n + 1)}\`\`\``),
      fc.nat({ max: 40 }).map((n) => `- ${words(5)}\n`.repeat(n + 1)),
      fc.nat({ max: 20 }).map((n) => `> ${words(n + 1)}`),
      fc.nat({ max: 9 }).map((n) => `## Heading ${n}`),
    )
    fc.assert(
      fc.property(fc.array(block, { minLength: 5, maxLength: 30 }), (blocks) => {
        const source = blocks.join("\n\n")
        holds(source)
        const read = split(source).map((part) => format(part).text)
        expect(noSpace(read.join(""))).toBe(noSpace(format(source).text))
      }),
      { numRuns: 60 },
    )
  })
})
