/** Markdown as a model might write it, well-formed and not, for property tests. */
import * as fc from "fast-check"

const piece = fc.oneof(
  fc.constantFrom(
    ..."**|*|_|__|~~|~|`|``|```|```ts\n|\n```\n|\n|\n\n|> |- |1. |  - |    |# |---|[|](|)|]|![|https://a.b/c|mailto:a@b.c|<|>|&amp;|\\|| | ||\t|\r\n|[x] |[a]: https://q.r\n|| a | b |\n|---|---|\n| 1 | 2 |\n".split(
      "|",
    ),
  ),
  fc.constantFrom(
    "\n| a | b |\n|---|---|\n| 1 | **2** |\n",
    "👩‍👩‍👧",
    "e\u0301",
    "😀",
    "語",
    "\u202e",
    "\0",
    "\ud800",
    "\udc00",
  ),
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.lorem({ maxCount: 5 }),
)
export const markdown = (maxLength: number) => fc.array(piece, { maxLength }).map((parts) => parts.join(""))
