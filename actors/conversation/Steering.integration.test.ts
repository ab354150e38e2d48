import * as Effect from "effect/Effect"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { blocksOf, say, useTool } from "../../infra/emulators/anthropic/index.ts"
import { answers, world, type World } from "../../infra/testing/World.ts"
import { Blobs } from "../../runtime/index.ts"
import { gate } from "./testing.ts"

const bob = (w: World) => ({ author: { door: w.door, id: "8", name: "Bob", kind: "person" } }) as const
const newest = (w: World, request: number) =>
  blocksOf(w.emulator.requests[request]!.request.messages.at(-1)!.content)
const text = (w: World, request: number) =>
  newest(w, request)
    .map((b) => String(b["text"] ?? b.type))
    .join("\n")

describe("words for an agent that is at work, on real Postgres and NATS", () => {
  let slow = gate("slow")
  let w: World
  beforeAll(async () => {
    w = await world({ tools: [{ ...slow.tool, run: (input) => slow.tool.run(input) }] })
  })
  afterEach(() => {
    expect(w.emulator.refusals()).toEqual([])
    w.emulator.clear()
    slow = gate("slow")
  })
  afterAll(() => w.dispose())
  const toolRuns = () => w.eventually("the tool to run", () => Promise.resolve(slow.calls[0]))

  it("join it while its tools run, and are taken in with the results", async () => {
    w.emulator.script(useTool("slow", {}), say("Both done."))
    const asked = w.ask("join", "do one thing")
    const call = await toolRuns()
    const more = await w.say("join", "and another thing")
    await w.decided(more.event, "joined")
    call.open()
    const { answer, events } = await asked
    expect(answer.text).toBe("Both done.")
    expect(w.emulator.requests.length).toBe(2)
    expect(newest(w, 1)[0]).toMatchObject({ type: "tool_result", content: "slow is done" })
    expect(text(w, 1)).toContain("and another thing")
    expect(events.filter((e) => e.kind === "turn").map((e) => e.state)).toEqual(["started", "joined"])
  })

  it("wait while the model speaks, and join when it calls a tool", async () => {
    w.emulator.script(useTool("slow", {}, { delayMs: 400 }), say("Both done."))
    const asked = w.ask("wait", "do one thing")
    await w.asked(1)
    const more = await w.say("wait", "and another thing")
    await w.decided(more.event, "joined")
    slow.calls[0]!.open()
    expect((await asked).answer.text).toBe("Both done.")
    expect(text(w, 1)).toContain("and another thing")
  })

  it("a fast burst is never merged: each is answered by its own turn, in order", async () => {
    w.emulator.respond((request) => {
      const words = blocksOf(request.messages.at(-1)!.content).map((b) => String(b["text"] ?? ""))
      return say(`Answer to ${/word \d/.exec(words.at(-1)!)![0]}`, { delayMs: 50 })
    })
    const burst = await w.accept([1, 2, 3, 4, 5].map((n) => w.inbound("burst", `word ${n}`)))
    const thread = burst[0]!.thread as never
    const last = burst.at(-1)!.event!
    const events = await w.watch(thread, (e) => answers(e, last))
    const said = events.flatMap((e) => (e.kind === "message" && e.author.kind === "agent" ? [e] : []))
    expect(said.map((e) => e.text)).toEqual([1, 2, 3, 4, 5].map((n) => `Answer to word ${n}`))
    expect(said.map((e) => e.replyTo)).toEqual(burst.map((b) => b.event))
  })

  it("of another person wait for their own turn, in order, even while tools run (P13)", async () => {
    w.emulator.script(useTool("slow", {}), say("For Eva."), say("For Bob."), say("For Eva again."))
    const asked = w.ask("persons", "do it")
    const call = await toolRuns()
    const other = await w.say("persons", "me too", bob(w))
    const queued = await w.decided(other.event, "queued")
    expect(queued.reason).toBe("waits for what it is doing now")
    call.open()
    expect((await asked).answer.text).toBe("For Eva.")
    expect(text(w, 1)).not.toContain("me too")
    const again = await w.say("persons", "thanks")
    const events = await w.watch(again.thread, (e) => answers(e, again.event))
    const said = events.flatMap((e) => (e.kind === "message" && e.author.kind === "agent" ? [e] : []))
    expect(said.map((e) => [e.text, e.principal])).toEqual([
      ["For Eva.", `${w.door}:7`],
      ["For Bob.", `${w.door}:8`],
      ["For Eva again.", `${w.door}:7`],
    ])
  })

  it("are told once, whoever they waited for", async () => {
    w.emulator.script(useTool("slow", {}), say("One and three."), say("Two."), say("Four."))
    const asked = w.ask("once", "one")
    const call = await toolRuns()
    const two = await w.say("once", "two", bob(w))
    const three = await w.say("once", "three")
    await w.decided(three.event, "joined")
    call.open()
    await asked
    await w.watch(two.thread, (e) => answers(e, two.event))
    await w.ask("once", "four")
    const all = JSON.stringify(w.emulator.requests.at(-1)!.request.messages)
    for (const word of ["one", "two", "three", "four"])
      expect(all.match(new RegExp(`>${word}<`, "g"))?.length, word).toBe(1)
  })

  it("bring their pictures with them", async () => {
    const blob = await w.run(
      Effect.flatMap(Blobs, (b) =>
        b.store({ name: "cat.png", mime: "image/png", bytes: new Uint8Array([1, 2, 3]) }),
      ),
    )
    w.emulator.script(useTool("slow", {}), say("A cat."))
    const asked = w.ask("picture", "wait for my picture")
    const call = await toolRuns()
    const more = await w.say("picture", "this one", {
      attachments: [{ kind: "photo", name: "cat.png", mime: "image/png", size: 3, blob }],
    })
    await w.decided(more.event, "joined")
    call.open()
    expect((await asked).answer.text).toBe("A cat.")
    expect(newest(w, 1).map((b) => b.type)).toEqual(["tool_result", "text", "image"])
  })

  it("joined at the very end are not lost: the answer waits for what comes of them (P5)", async () => {
    w.emulator.script(say("Seven.", { delayMs: 300 }), say("No, eight."))
    const asked = w.ask("end", "what is 3 + 4?", { sourceKey: "web:end" })
    await w.asked(1)
    const edit = await w.say("end", "what is 4 + 4?", { sourceKey: "web:end:2", edits: "web:end" })
    await w.decided(edit.event, "joined")
    const { answer } = await asked
    expect(answer.text).toBe("Seven.\n\nNo, eight.")
    expect(text(w, 1)).toContain("what is 4 + 4?")
    expect(w.emulator.requests.length).toBe(2)
  })

  it("an edit before the decision replaces the text, and is told once (P1)", async () => {
    w.emulator.script(say("Eight."))
    const [first, edit] = await w.accept([
      w.inbound("early", "what is 3 + 4?", { sourceKey: "web:early" }),
      w.inbound("early", "what is 4 + 4?", { sourceKey: "web:early:2", edits: "web:early" }),
    ])
    await w.watch(first!.thread as never, (e) => answers(e, first!.event!))
    expect(text(w, 0)).toMatch(/3 \+ 4[^]*this text holds[^]*4 \+ 4/)
    w.emulator.script(say("Yes."))
    await w.ask("early", "sure?")
    expect(w.emulator.requests.length).toBe(2)
    expect(JSON.stringify(w.emulator.requests[1]!.request.messages).match(/4 \+ 4/g)?.length).toBe(1)
    expect(await w.sql("select state from decision where event = $1", [edit!.event])).toEqual([])
  })

  it("an edit of words that were answered is recorded, and starts nothing", async () => {
    w.emulator.script(say("Seven."), say("Done."), say("Again."))
    await w.ask("after", "what is 3 + 4?", { sourceKey: "web:after" })
    await w.say("after", "what is 4 + 4?", { sourceKey: "web:after:2", edits: "web:after" })
    await w.ask("after", "anything else?")
    expect(w.emulator.requests.length).toBe(2)
    expect(text(w, 1)).toContain("an edit of what was said before")
  })

  it("an edit of other words does not join what is at work now", async () => {
    w.emulator.script(say("Seven."), useTool("slow", {}), say("Done."))
    await w.ask("other", "what is 3 + 4?", { sourceKey: "web:other" })
    const asked = w.ask("other", "now work")
    const call = await toolRuns()
    const edit = await w.say("other", "what is 4 + 4?", { sourceKey: "web:other:2", edits: "web:other" })
    const next = await w.say("other", "and this")
    await w.decided(next.event, "joined")
    call.open()
    await asked
    expect(text(w, 2)).not.toContain("4 + 4")
    expect(await w.sql("select state from decision where event = $1", [edit.event])).toEqual([])
  })
})

describe("a word that can not be taken up", () => {
  it("is given up at the third time, the room is told, and whoever waits behind it goes on (P11)", async () => {
    const w = await world()
    const mallory = { author: { door: w.door, id: "13", name: "Mallory", kind: "person" } } as const
    await w.sql(
      "alter table turn add constraint poison check (state = 'parked' or principal not like '%:13')",
    )
    w.emulator.script(say("For Eva.", { delayMs: 300 }), say("For Bob."), say("For Eva again."))
    const first = await w.say("poison", "hello")
    await w.asked(1)
    const bad = await w.say("poison", "here is poison", mallory)
    const last = await w.say("poison", "me too", bob(w))
    const events = await w.watch(first.thread, (e) => answers(e, last.event))
    const said = events.flatMap((e) => (e.kind === "message" && e.author.kind === "agent" ? [e.text] : []))
    expect(said).toEqual(["For Eva.", expect.stringContaining("it failed three times"), "For Bob."])
    expect(await w.decided(bad.event, "parked")).toMatchObject({ reason: "could not be taken up" })
    // Also where nobody works.
    expect((await w.ask("poison", "poison again", mallory)).answer.text).toMatch(/it failed three times/)
    expect((await w.ask("poison", "still there?")).answer.text).toBe("For Eva again.")
    await w.dispose()
  })
})
