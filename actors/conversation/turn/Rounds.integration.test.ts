import * as Effect from "effect/Effect"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { blocksOf, freshId, say, useTool, type Speech } from "../../../infra/emulators/anthropic/index.ts"
import { world, type World } from "../../../infra/testing/World.ts"
import { gate, ok, toolOf } from "../testing.ts"

const results = (w: World, request: number) =>
  blocksOf(w.emulator.requests[request]!.request.messages.at(-1)!.content).filter(
    (b) => b.type === "tool_result",
  )
const words = (w: World, request: number) =>
  blocksOf(w.emulator.requests[request]!.request.messages.at(-1)!.content)
    .filter((b) => b.type === "text")
    .map((b) => String(b["text"]))
    .join("\n")
const calls = (...uses: ReadonlyArray<readonly [string, object]>): Speech => ({
  content: uses.map(([name, input]) => ({ type: "tool_use", id: freshId("toolu"), name, input })),
})

describe("a turn's rounds, on real Postgres and NATS", () => {
  const slow = gate("slow", { parallel: true })
  const serial = gate("serial")
  const tools = [
    toolOf("echo", (input) => Effect.succeed(ok(JSON.stringify(input)))),
    toolOf("dies", () => Effect.die(new Error("broken inside"))),
    toolOf("mute", () => Effect.succeed(ok(""))),
    toolOf("half", () => Effect.succeed(ok("half \ud83d and nul \u0000"))),
    toolOf("careless", () => Effect.succeed(ok("fine")), {
      summary: (input) => (input as { a: { b: string } }).a.b,
    }),
    slow.tool,
    serial.tool,
  ]
  let w: World
  beforeAll(async () => {
    w = await world({ tools })
  })
  afterEach(() => {
    // P12: whatever happened, no request broke a rule of the API.
    expect(w.emulator.refusals()).toEqual([])
    w.emulator.clear()
  })
  afterAll(() => w.dispose())

  it("runs a tool and answers with what came of it, each step journalled (P6)", async () => {
    w.emulator.script(useTool("echo", { a: 1 }), say("It said a is 1."))
    const { answer, events, event } = await w.ask("echo", "try it")
    expect(answer.text).toBe("It said a is 1.")
    expect(results(w, 1)).toMatchObject([{ content: '{"a":1}' }])
    expect(events.filter((e) => e.kind === "tool").map((e) => [e.state, e.ok, e.summary])).toEqual([
      ["started", null, 'echo {"a":1}'],
      ["finished", true, 'echo {"a":1}'],
    ])
    const steps = await w.sql(
      "select n, kind, s.state, tool from step s join turn t on t.id = s.turn where t.event = $1 order by n",
      [event],
    )
    expect(steps).toEqual([
      { n: 1, kind: "model", state: "saved", tool: null },
      { n: 2, kind: "tool", state: "saved", tool: "echo" },
      { n: 3, kind: "model", state: "saved", tool: null },
    ])
  })

  it("answers all calls of one message together, in their order, whatever became of each", async () => {
    const odd: Speech = {
      content: [
        { type: "tool_use", id: "toolu_odd1", name: "echo", input: { n: 1 } },
        { type: "tool_use", id: "toolu_odd2", name: "nowhere", input: {} },
        { type: "tool_use", id: "toolu_odd3", name: "echo", input: {}, partialJson: '{"n": ' },
        { type: "tool_use", id: "toolu_odd4", name: "dies", input: {} },
        { type: "tool_use", id: "toolu_odd5", name: "mute", input: {} },
        { type: "tool_use", id: "toolu_odd6", name: "careless", input: {} },
      ],
    }
    w.emulator.script(odd, say("Understood."))
    const { answer } = await w.ask("odd", "everything at once")
    expect(answer.text).toBe("Understood.")
    expect(results(w, 1).map((r) => [r["tool_use_id"], r["content"], r["is_error"] === true])).toEqual([
      ["toolu_odd1", '{"n":1}', false],
      ["toolu_odd2", "There is no tool called nowhere.", true],
      ["toolu_odd3", "The input was not valid JSON. Send the call again.", true],
      ["toolu_odd4", "The tool crashed. Try another way.", true],
      ["toolu_odd5", "(no output)", false],
      ["toolu_odd6", "fine", false],
    ])
  })

  it("runs calls beside each other only where all of them allow it", async () => {
    w.emulator.script(
      calls(["slow", { n: 1 }], ["slow", { n: 2 }]),
      calls(["slow", { n: 3 }], ["serial", { n: 4 }]),
      say("Both rounds are done."),
    )
    const asked = w.ask("parallel", "go")
    await w.eventually("both to run", () => Promise.resolve(slow.calls.length === 2))
    slow.calls[1]!.open()
    slow.calls[0]!.open()
    await w.eventually("the third", () => Promise.resolve(slow.calls.length === 3))
    expect(serial.calls.length).toBe(0)
    slow.calls[2]!.open()
    await w.eventually("the fourth", () => Promise.resolve(serial.calls.length === 1))
    serial.calls[0]!.open()
    expect((await asked).answer.text).toBe("Both rounds are done.")
  })

  it("stores and sends what no database and no API takes as it is", async () => {
    w.emulator.script(
      {
        content: [
          { type: "tool_use", id: freshId("toolu"), name: "half", input: { nul: "\u0000", half: "\udc00" } },
        ],
      },
      say("nul \u0000 here"),
    )
    const { answer } = await w.ask("unstorable", "go")
    expect(answer.text).toBe("nul \uFFFD here")
    expect(results(w, 1)[0]!["content"]).toBe("half \uFFFD and nul \u0000")
  })

  it("an end without a word is said as such", async () => {
    w.emulator.script({ content: [], stopReason: "end_turn" })
    expect((await w.ask("empty", "do it")).answer.text).toBe("Done; there is nothing to add.")
    w.emulator.script(say("And now?"))
    expect((await w.ask("empty", "and now")).answer.text).toBe("And now?")
  })

  it("thinking alone is no answer, and is never sent back", async () => {
    const thinking = { type: "thinking", thinking: "hm", signature: "sig_alone" }
    w.emulator.script({ content: [thinking], stopReason: "end_turn" }, say("Now with words."))
    expect((await w.ask("alone", "think")).answer.text).toBe("Done; there is nothing to add.")
    expect((await w.ask("alone", "speak")).answer.text).toBe("Now with words.")
  })

  it("thinking behind the words is not kept, because it could not be sent back", async () => {
    w.emulator.script(
      {
        content: [
          { type: "text", text: "First." },
          { type: "thinking", thinking: "late", signature: "sig_late" },
        ],
        stopReason: "end_turn",
      },
      say("Second."),
    )
    await w.ask("late thinking", "one")
    expect((await w.ask("late thinking", "two")).answer.text).toBe("Second.")
  })

  it("says that an answer was cut at the length limit", async () => {
    w.emulator.script(say("A long", { stopReason: "max_tokens" }), say("er story.", {}))
    const first = await w.ask("long", "tell a story")
    expect(first.answer.text).toBe('A long\n\n(Cut at the length limit. Say "continue" for the rest.)')
    expect((await w.ask("long", "continue")).answer.text).toBe("er story.")
    w.emulator.script({ content: [], stopReason: "max_tokens" })
    expect((await w.ask("long", "think longer")).answer.text).toContain("before there was an answer")
  })

  it("never runs a call that was cut off, and answers it", async () => {
    const before = slow.calls.length
    w.emulator.script(
      {
        content: [
          { type: "text", text: "Let me see" },
          { type: "tool_use", id: "toolu_cut", name: "slow", input: {}, partialJson: '{"comm' },
        ],
        stopReason: "max_tokens",
      },
      say("Shorter now."),
    )
    expect((await w.ask("cut", "go")).answer.text).toBe("Shorter now.")
    expect(slow.calls.length).toBe(before)
    expect(results(w, 1)).toMatchObject([{ tool_use_id: "toolu_cut", is_error: true }])
  })

  it.each(["stop_sequence", "end_turn", "something_new"])(
    "a call in a message that ended with %s is answered, so that the next message is not refused",
    async (stopReason) => {
      const id = freshId("toolu")
      w.emulator.script(
        {
          content: [
            { type: "text", text: "Said." },
            { type: "tool_use", id, name: "echo", input: {} },
          ],
          stopReason,
        },
        say("Still here."),
      )
      expect((await w.ask(stopReason, "one")).answer.text).toBe("Said.")
      expect((await w.ask(stopReason, "two")).answer.text).toBe("Still here.")
      expect(results(w, 1)).toMatchObject([{ tool_use_id: id, is_error: true }])
    },
  )

  it("goes on after a pause, and says both halves", async () => {
    const paused: Speech = {
      content: [
        { type: "text", text: "I look it up." },
        { type: "server_tool_use", id: "srv_1", name: "web_search", input: { query: "x" } },
      ],
      stopReason: "pause_turn",
    }
    w.emulator.script(paused, say("Found it."))
    expect((await w.ask("pause", "search")).answer.text).toBe("I look it up.\n\nFound it.")
    expect(w.emulator.requests[1]!.request.messages.at(-1)!.role).toBe("assistant")
    w.emulator.script(say("More."))
    expect((await w.ask("pause", "more")).answer.text).toBe("More.")
  })

  it("after a refusal the next turn starts a new segment without the words that were refused", async () => {
    w.emulator.script(
      say("Hello."),
      say("half a refused", { stopReason: "refusal", stopDetails: { category: "cyber" } }),
      say("Gladly."),
    )
    await w.ask("refusal", "good morning")
    const refused = await w.ask("refusal", "something bad")
    expect(refused.answer.text).toBe(
      "I can not help with that: the model declined (cyber). Ask in another way, or for something else.",
    )
    expect((await w.ask("refusal", "something nice")).answer.text).toBe("Gladly.")
    const { messages } = w.emulator.requests[2]!.request
    expect(messages.length).toBe(1)
    expect(words(w, 2)).not.toContain("something bad")
    expect(
      await w.sql("select segment, frozen = '' as broken from segment where thread = $1 order by 1", [
        refused.thread,
      ]),
    ).toEqual([
      { segment: 1, broken: false },
      { segment: 2, broken: true },
      { segment: 3, broken: false },
    ])
  })

  it("renews the conversation where it no longer fits, with the words of the turn", async () => {
    w.emulator.script(
      say("One."),
      say("", { content: [], stopReason: "model_context_window_exceeded" }),
      say("Fits."),
    )
    await w.ask("window", "first")
    expect((await w.ask("window", "second")).answer.text).toBe("Fits.")
    expect(w.emulator.requests[2]!.request.messages.length).toBe(1)
    expect(words(w, 2)).toContain("second")
    w.emulator.script(say("Goes on."))
    expect((await w.ask("window", "third")).answer.text).toBe("Goes on.")
    expect(w.emulator.requests[3]!.request.messages.length).toBe(3)
  })
})
