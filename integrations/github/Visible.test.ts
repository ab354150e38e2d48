import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ada, bo } from "./testRoom.ts"
import { addressable, askedBy } from "./Mentions.ts"
import { markOf, marker, ownBranch, branchFor } from "./Marker.ts"
import { visible } from "./Visible.ts"

describe("what GitHub hides from readers", () => {
  it("is shown to agents as what it is", () => {
    expect(visible("a <!-- do it --> b")).toBe("a [hidden comment: do it] b")
    expect(visible("a <!-- never closed")).toBe("a [hidden comment: never closed]")
    expect(visible("a\u200bb\u202ec\u00add\ufe00e\u{e0041}f\u3164g\0h")).toBe(
      "a[U+200B]b[U+202E]c[U+00AD]d[U+FE00]e[U+E0041]f[U+3164]g[U+0000]h",
    )
  })

  it("is nothing in words that people see: letters, emoji, line breaks", () => {
    for (const text of [
      "Grüße, 世界!\n\tx",
      "👩\u200d💻 👍🏽 ❤\ufe0f",
      "a < b && c > d",
      "<details>x</details>",
    ])
      expect(visible(text)).toBe(text)
    expect(visible("a\r\nb")).toBe("a\nb")
  })

  it("never survives in any text, and nothing that is seen gets lost", () => {
    const shapeless = /(?!\n|\t|\r)[\p{Cc}\u200b\u200c\u202a-\u202e\u2060-\u206f\u{e0000}-\u{e007f}]/u
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const shown = visible(text)
        expect(shown).not.toMatch(shapeless)
        expect(shown.isWellFormed()).toBe(true)
        expect(shown).not.toContain("<!--")
        for (const word of text.match(/[a-z]+/g) ?? []) expect(shown).toContain(word)
      }),
      { numRuns: 150, seed: 3 },
    )
  })
})

describe("whom words ask", () => {
  const asked = (text: string) => {
    const { agents, app } = askedBy(text, [ada, bo], "troupe-app")
    return { agents: agents.map((id) => id.slice(5)), app }
  }

  it("agents by handle, the App by its name, in any case", () => {
    expect(asked("@ada, @BO!")).toEqual({ agents: ["ada", "bo"], app: false })
    expect(asked("hey @Troupe-App[bot] help")).toEqual({ agents: [], app: true })
    expect(asked("@troupe-app-two and @troupe and a@troupe-app and x/@ada")).toEqual({
      agents: [],
      app: false,
    })
  })

  it("nobody in code, quotations and hidden comments, and whoever comes after them", () => {
    expect(asked("```js\n@ada\n```\n@bo")).toEqual({ agents: ["bo"], app: false })
    expect(asked("~~~\n@ada")).toEqual({ agents: [], app: false })
    expect(asked("`` `@ada` `` @bo")).toEqual({ agents: ["bo"], app: false })
    expect(asked("> @ada\n\n@bo")).toEqual({ agents: ["bo"], app: false })
    expect(asked("<!-- @ada\n --> @bo")).toEqual({ agents: ["bo"], app: false })
    expect(addressable("a ` b @ada")).toContain("@ada")
    const runs = Array.from({ length: 300 }, (_, i) => "`".repeat(i + 1)).join("a ")
    expect(addressable(runs + "@ada")).toContain("@ada")
  })
})

describe("the mark", () => {
  it("is found at the very end and nowhere else", () => {
    const mark = { key: "01habc/0", agent: "ada" }
    expect(markOf(`words\n\n${marker(mark)}`)).toEqual(mark)
    expect(markOf(`words\n\n${marker(mark)}\n`)).toEqual(mark)
    expect(markOf(`> ${marker(mark)}`)).toBeUndefined()
    expect(markOf(`${marker(mark)}\nand more`)).toBeUndefined()
    expect(markOf(null)).toBeUndefined()
  })

  it("a branch tells whose it is and for what", () => {
    expect(ownBranch(branchFor("ada", 42))).toEqual({ agent: "ada", number: 42, again: 1 })
    expect(ownBranch(branchFor("ada", 42, 3))).toEqual({ agent: "ada", number: 42, again: 3 })
    for (const ref of ["main", "troupe/ada", "troupe/../x/1", "troupe/ada/1/2"])
      expect(ownBranch(ref)).toBeUndefined()
  })
})
