import { describe, expect, it } from "@effect/vitest"
import { validate } from "./Validate.ts"
import type { MessagesRequest, WireBlock, WireMessage } from "./Wire.ts"

const text = (words: string): WireBlock => ({ type: "text", text: words })
const use = (id: string): WireBlock => ({ type: "tool_use", id, name: "shell", input: {} })
const result = (id: string): WireBlock => ({ type: "tool_result", tool_use_id: id, content: "ok" })
const user = (...content: ReadonlyArray<WireBlock>): WireMessage => ({ role: "user", content })
const model = (...content: ReadonlyArray<WireBlock>): WireMessage => ({ role: "assistant", content })

const check = (
  messages: ReadonlyArray<WireMessage>,
  more: Partial<MessagesRequest> = {},
  alternate = false,
) => validate({ model: "m", max_tokens: 10, messages, ...more }, { alternate })

describe("the emulator's rules", () => {
  it("accept what an agent that keeps them sends", () => {
    expect(check([user(text("hi"))])).toBeNull()
    expect(
      check([
        user(text("hi")),
        model({ type: "thinking", thinking: "", signature: "s" }, text("I look."), use("a"), use("b")),
        user(result("b"), result("a"), text("and this came in")),
        model(text("Done.")),
        user(text("thanks")),
      ]),
    ).toBeNull()
    expect(check([user(text("failed turn")), user(text("next turn"))])).toBeNull()
  })

  const refused: ReadonlyArray<readonly [string, ReadonlyArray<WireMessage>, RegExp]> = [
    ["no message", [], /at least one message/],
    ["a conversation the model opens", [model(text("hi")), user(text("x"))], /first message/],
    ["an answer already begun", [user(text("hi")), model(text("I"))], /prefill/],
    ["an empty message", [user()], /non-empty content/],
    ["an empty text", [user(text(""))], /must be non-empty/],
    [
      "a use without its result",
      [user(text("hi")), model(use("a"), use("b")), user(result("a"))],
      /without `tool_result`.*: b\./,
    ],
    [
      "a result one message too late",
      [user(text("hi")), model(use("a")), user(text("x")), user(result("a"))],
      /without `tool_result`/,
    ],
    [
      "a result nobody asked for",
      [user(text("hi")), model(text("x")), user(result("a"))],
      /unexpected `tool_use_id`/,
    ],
    [
      "two results of one use",
      [user(text("hi")), model(use("a")), user(result("a"), result("a"))],
      /single result/,
    ],
    [
      "words before the result",
      [user(text("hi")), model(use("a")), user(text("x"), result("a"))],
      /must come before/,
    ],
    [
      "an id used twice",
      [user(text("hi")), model(use("a")), user(result("a")), model(use("a")), user(result("a"))],
      /unique/,
    ],
    [
      "a message that ends in thinking",
      [user(text("hi")), model({ type: "thinking", thinking: "", signature: "" }), user(text("x"))],
      /cannot be `thinking`/,
    ],
    [
      "an input that is no object",
      [user(text("hi")), model({ ...use("a"), input: "ls" }), user(result("a"))],
      /should be an object/,
    ],
  ]
  for (const [name, messages, sentence] of refused)
    it(`refuse ${name}`, () => expect(check(messages)).toMatch(sentence))

  it("refuse neighbours of one role only where the transcript is to alternate", () => {
    const messages = [user(text("a")), user(text("b"))]
    expect(check(messages)).toBeNull()
    expect(check(messages, {}, true)).toMatch(/must alternate/)
  })

  it("refuse a fifth cache mark, a mark on thinking, unknown fields, repeated tools and no max_tokens", () => {
    const marked = (block: WireBlock): WireBlock => ({ ...block, cache_control: { type: "ephemeral" } })
    const five = Array.from({ length: 5 }, (_, at) => marked(text(`${at}`)))
    expect(check([user(...five.slice(1))])).toBeNull()
    expect(check([user(...five)])).toMatch(/maximum of 4/)
    const thinking = marked({ type: "thinking", thinking: "", signature: "s" })
    expect(check([user(text("x")), model(thinking, text("y")), user(text("z"))])).toMatch(/cache_control/)
    expect(check([user(text("x"))], { prompt: "x" })).toMatch(/prompt: Extra inputs/)
    expect(check([user(text("x"))], { tools: [{ name: "a" }, { name: "a" }] })).toMatch(/unique/)
    expect(check([user(text("x"))], { max_tokens: 0 })).toMatch(/max_tokens/)
  })
})
