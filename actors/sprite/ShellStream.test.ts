import { describe, expect, it } from "vitest"
import * as fc from "fast-check"
import { ShellStream } from "./ShellStream.ts"
import type { ShellMark } from "./ShellStream.ts"

const MARK = "0123456789abcdef"
const OTHER = "fedcba9876543210"

const read = (bytes: Buffer, cuts: ReadonlyArray<number>) => {
  const seen: Array<string | ShellMark> = []
  const stream = new ShellStream(
    new Set([MARK]),
    (text) => {
      const last = seen.at(-1)
      const more = Buffer.from(text).toString("latin1")
      if (typeof last === "string") seen[seen.length - 1] = last + more
      else seen.push(more)
    },
    (mark) => seen.push(mark),
  )
  let from = 0
  for (const cut of [...cuts, bytes.length]) {
    stream.push(bytes.subarray(from, cut))
    from = cut
  }
  return seen
}

const noise = fc.oneof(
  fc.string(),
  fc.constantFrom("\x1e", "\x1etroupe ", `\x1etroupe ${OTHER} E 0 /\0`, `\x1etroupe ${MARK} X\0`, "\0"),
)

describe("ShellStream", () => {
  it("parts marks from text wherever the chunks are cut", () => {
    fc.assert(
      fc.property(fc.array(noise), fc.array(noise), fc.array(fc.nat()), (inside, after, cuts) => {
        const body = Buffer.from(inside.join(""))
        const bytes = Buffer.concat([
          Buffer.from(`\x1etroupe ${MARK} B\0`),
          body,
          Buffer.from(`\x1etroupe ${MARK} E 7 /a b\n\0`),
          Buffer.from(after.join("")),
          Buffer.from("."),
        ])
        const sorted = cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b)
        const seen = read(bytes, sorted)
        const begin = { kind: "begin", mark: MARK }
        const end = { kind: "end", mark: MARK, code: 7, cwd: "/a b\n" }
        expect(seen[0]).toEqual(begin)
        expect(seen.filter((part) => typeof part === "object")).toEqual([begin, end])
        const text = body.toString("latin1")
        expect(
          seen.slice(
            1,
            seen.findIndex((part) => typeof part === "object" && part.kind === "end"),
          ),
        ).toEqual(text === "" ? [] : [text])
      }),
    )
  })

  it("gives a mark that is never ended back as text", () => {
    const bytes = Buffer.from(`\x1etroupe ${MARK} E 0 ${"x".repeat(9000)}`)
    expect(read(bytes, [3, 500])).toEqual([bytes.toString("latin1")])
  })
})
