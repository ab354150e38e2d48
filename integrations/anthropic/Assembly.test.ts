import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { eventsOf } from "../../infra/emulators/anthropic/Wire.ts"
import { Assembly, invalidInput } from "./Assembly.ts"

const usage = {
  input_tokens: 3,
  cache_creation_input_tokens: 20,
  cache_read_input_tokens: 100,
  output_tokens: 7,
}

const assemble = (events: ReadonlyArray<Readonly<Record<string, unknown>>>, notes = false) => {
  const heard: Array<string> = []
  const assembly = new Assembly((delta) => heard.push(delta), notes)
  for (const event of events) assembly.push(event)
  return { reply: assembly.reply(), heard }
}

const text = fc.string({ minLength: 1, unit: "grapheme" })
const block = fc.oneof(
  fc.record({ type: fc.constant("text"), text, citations: fc.constant(null) }),
  fc.record({ type: fc.constant("thinking"), thinking: fc.string(), signature: text }),
  fc.record({ type: fc.constant("redacted_thinking"), data: text }),
  fc.record({
    type: fc.constant("tool_use"),
    id: text,
    name: text,
    input: fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }),
  }),
  fc.record({ type: fc.constant("from_the_future"), payload: fc.jsonValue() }),
)

describe("assembly", () => {
  it("gives back every block as it was, however the stream was cut into deltas", () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 6 }), fc.integer({ min: 1, max: 9 }), (blocks, deltaChars) => {
        const content = JSON.parse(JSON.stringify(blocks)) as typeof blocks
        const { reply, heard } = assemble(eventsOf({ content, deltaChars }, "m", usage))
        expect(reply?.content).toEqual(content)
        const words = content.flatMap((one) => (one.type === "text" && "text" in one ? [one.text] : []))
        expect(heard.join("")).toBe(words.join(""))
      }),
    )
  })

  it("is no reply while message_stop has not come", () => {
    const events = eventsOf({ content: [{ type: "text", text: "all the words" }] }, "m", usage)
    expect(assemble(events.slice(0, -1)).reply).toBeNull()
    expect(assemble(events).reply?.stopReason).toBe("end_turn")
  })

  it("keeps a tool input that is not a JSON object where the turn finds it", () => {
    for (const partialJson of ['{"command": "ls', "[1]", "null", '"text"', "{}}"]) {
      const content = [{ type: "tool_use", id: "t", name: "shell", partialJson }]
      const { reply } = assemble(eventsOf({ content }, "m", usage))
      const [block] = reply?.content ?? []
      expect(block && invalidInput(block)).toBe(partialJson)
      expect(block?.["input"]).toEqual({ INVALID_JSON: partialJson })
    }
  })

  it("takes an empty tool input for an empty object, and a valid one for what it says", () => {
    const input = (partialJson: string) => {
      const content = [{ type: "tool_use", id: "t", name: "shell", partialJson }]
      const [block] = assemble(eventsOf({ content }, "m", usage)).reply?.content ?? []
      expect(block && invalidInput(block)).toBeUndefined()
      return block?.["input"]
    }
    expect(input("")).toEqual({})
    expect(input('{"a":{"b":[1]}}')).toEqual({ a: { b: [1] } })
  })

  it("leaves out an empty text block, which the API would not read again", () => {
    const { reply } = assemble(
      eventsOf(
        {
          content: [
            { type: "text", text: "" },
            { type: "text", text: "x" },
          ],
        },
        "m",
        usage,
      ),
    )
    expect(reply?.content).toEqual([{ type: "text", text: "x" }])
  })

  it("passes the notes between tool calls on as words, and reasoning never", () => {
    const content = [
      { type: "thinking", thinking: "", signature: "s1" },
      { type: "thinking", thinking: "I look at the tests first.", signature: "s2" },
      { type: "text", text: "Done." },
    ]
    const events = eventsOf({ content }, "m", usage)
    expect(assemble(events, true).heard.join("")).toBe("I look at the tests first.\n\nDone.")
    expect(assemble(events, false).heard.join("")).toBe("Done.")
  })

  it("bills the last count the API gave, and splits cache writes by their life", () => {
    const { reply } = assemble([
      {
        type: "message_start",
        message: {
          model: "m",
          usage: {
            ...usage,
            output_tokens: 1,
            cache_creation: { ephemeral_5m_input_tokens: 15, ephemeral_1h_input_tokens: 5 },
          },
        },
      },
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn" },
        usage: { output_tokens: 42, input_tokens: null },
      },
      { type: "message_stop" },
    ])
    expect(reply?.usage).toEqual({ input: 3, output: 42, cacheRead: 100, cacheWrite5m: 15, cacheWrite1h: 5 })
  })
})
