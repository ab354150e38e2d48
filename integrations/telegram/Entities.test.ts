import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { check } from "../../infra/emulators/telegram/EntityCheck.ts"
import { format } from "./Entities.ts"
import { markdown } from "./markdown.arbitrary.ts"

/** Each entity as `type:words`, with its extra in brackets. */
const shown = (markdown: string) => {
  const { text, entities } = format(markdown)
  return {
    text,
    marks: entities.map(({ type, offset, length, url, language }) => {
      const extra = url ?? language
      return `${type}${extra === undefined ? "" : `(${extra})`}:${text.slice(offset, offset + length)}`
    }),
  }
}

describe("markdown becomes text and entities", () => {
  const cases: ReadonlyArray<readonly [string, string, string, ReadonlyArray<string>]> = [
    ["bold", "a **b** c", "a b c", ["bold:b"]],
    ["italic", "a *b* _c_", "a b c", ["italic:b", "italic:c"]],
    ["strikethrough", "~~gone~~ but ~5 and ~6~", "gone but ~5 and ~6~", ["strikethrough:gone"]],
    ["code", "run `npm ci` now", "run npm ci now", ["code:npm ci"]],
    [
      "a code block with its language",
      "```ts\nlet a = 1\n\nb\n```\nend",
      "let a = 1\n\nb\nend",
      ["pre(ts):let a = 1\n\nb"],
    ],
    ["a code block that is still being written", "see\n```js\nlet a", "see\nlet a", ["pre(js):let a"]],
    ["a link", "see [the docs](https://a.b/c_d)", "see the docs", ["text_link(https://a.b/c_d):the docs"]],
    [
      "a bare link stays text",
      "see https://a.b/c_d and <https://e.f>",
      "see https://a.b/c_d and https://e.f",
      [],
    ],
    ["a link to a file shows where it goes", "[Main](src/main.ts)", "Main (src/main.ts)", []],
    ["a link title stays", '[a](https://x.y "why")', "a (why)", ["text_link(https://x.y):a"]],
    ["a picture", "![a cat](https://x.y/c.png)", "a cat", ["text_link(https://x.y/c.png):a cat"]],
    ["headings are bold", "# One *two*\n\ntext", "One two\n\ntext", ["bold:One two", "italic:two"]],
    [
      "a quote",
      "> said **so**\n> twice\n\nme",
      "said so\ntwice\n\nme",
      ["blockquote:said so\ntwice", "bold:so"],
    ],
    ["a quote in a quote is one quote", "> a\n> > b", "a\nb", ["blockquote:a\nb"]],
    ["lists are text", "- a\n- b\n  - c\n\n1. x\n3. y", "• a\n• b\n  • c\n\n1. x\n3. y", []],
    ["tasks", "- [x] done\n- [ ] open", "• [x] done\n• [ ] open", []],
    ["code in a list", "- a\n  ```sh\n  ls\n  ```\n- b", "• a\nls\n• b", ["pre(sh):ls"]],
    ["code inside bold divides the bold", "**a `b` c**", "a b c", ["bold:a", "code:b", "bold:c"]],
    ["a link wins over code", "[`x`](https://a.b)", "x", ["text_link(https://a.b):x"]],
    ["nested emphasis", "**a *b* ~~c~~**", "a b c", ["bold:a b c", "italic:b", "strikethrough:c"]],
    ["offsets count UTF-16 units", "👩‍👩‍👧 **😀** 語 `x`", "👩‍👩‍👧 😀 語 x", ["bold:😀", "code:x"]],
    ["indented lines are not code", "    four spaces\n    two", "four spaces\n    two", []],
    ["html is shown as it is", "<b>x</b> &amp; a < b", "<b>x</b> &amp; a < b", []],
    ["escapes", "\\*no\\* 2 \\* 3", "*no* 2 * 3", []],
    [
      "names with underscores",
      "snake_case_name __init__.py __a b__",
      "snake_case_name __init__.py a b",
      ["bold:a b"],
    ],
    ["what follows the language", "```ts src/a.ts\nx\n```", "src/a.ts\nx", ["pre(ts):x"]],
    ["an empty code block", "```ts\n```", "```ts\n```", []],
    ["a rule", "a\n\n---\n\nb", "a\n\n———\n\nb", []],
    ["a link definition stays", "[1]: https://a.b", "[1]: https://a.b", []],
    ["a single line stays as it is", "Done. 3 files changed, 2.5 s.", "Done. 3 files changed, 2.5 s.", []],
  ]
  test.each(cases)("%s", (_, markdown, text, marks) => {
    expect(shown(markdown)).toEqual({ text, marks })
  })

  test("a narrow table is aligned, a wide one stays as it was written", () => {
    expect(shown("| a | long |\n|---|---|\n| 1 | `2` |\n\nx").marks).toEqual([
      "pre:a | long\n--+-----\n1 | 2",
    ])
    const wide = `| a | b |\n|---|---|\n| ${"x".repeat(80)} | 2 |`
    expect(shown(wide)).toEqual({ text: wide, marks: [`pre:${wide}`] })
  })

  test("NUL and lone surrogates become the replacement character", () => {
    expect(format("a\0b\ud83d c").text).toBe("a\ufffdb\ufffd c")
  })

  test("of more than 100 entities the links stay", () => {
    const { entities } = format(`${"**b** ".repeat(90)}${"[l](https://a.b) ".repeat(40)}`)
    expect(entities.filter(({ type }) => type === "text_link")).toHaveLength(40)
    expect(entities).toHaveLength(100)
  })
})

const sorted = (text: string) => [...text].toSorted().join("")

describe("whatever an agent writes", () => {
  test("Telegram takes the entities, and trimming changes nothing any more", () => {
    fc.assert(
      fc.property(markdown(40), (source) => {
        const { text, entities } = format(source)
        if (text === "") return
        expect(check(text, [...entities])).toEqual({ text, entities })
      }),
      { numRuns: 3_000 },
    )
  })

  test("every letter and digit outside of marks survives, in order", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.lorem({ maxCount: 4 }),
            fc.constantFrom(
              "**",
              "*",
              "_",
              "~~",
              "`",
              "> ",
              "- ",
              "\n",
              "\n\n",
              "# ",
              " ",
              "(",
              ")",
              "[",
              "]",
              "😀",
            ),
          ),
          { maxLength: 40 },
        ),
        (parts) => {
          const source = parts.join("")
          const kept = (text: string) => text.replace(/[^\p{L}\p{N}😀]/gu, "")
          const { text, entities } = format(source)
          const languages = entities.flatMap(({ language }) => language ?? [])
          if (languages.length === 0) expect(kept(text)).toBe(kept(source))
          // The language of a code block is in its entity, not in the text.
          else expect(sorted(kept(text + languages.join("")))).toBe(sorted(kept(source)))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test("plain words come out byte for byte", () => {
    const plain = fc.string({
      unit: fc.constantFrom(..."abcXYZ 0189.,:;?!'\"%$€äß語😀\n".match(/./gsu)!),
      maxLength: 300,
    })
    fc.assert(
      fc.property(plain, (source) => {
        expect(format(`a${source}`).text).toBe(`a${source}`.trimEnd())
      }),
      { numRuns: 1_000 },
    )
  })
})
