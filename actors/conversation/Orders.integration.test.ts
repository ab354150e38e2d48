import * as Effect from "effect/Effect"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { blocksOf, fail, say, useTool } from "../../infra/emulators/anthropic/index.ts"
import { answers, world, type World } from "../../infra/testing/World.ts"
import { Journal, Rooms, type Event, type EventId, type ThreadId } from "../../runtime/index.ts"
import { gate, ok, toolOf } from "./testing.ts"

const other = (w: World, id: string) =>
  ({ author: { door: w.door, id, name: `Person ${id}`, kind: "person" } }) as const
const state = (name: string) => (e: Event) => e.kind === "turn" && e.state === name
const ran: Array<unknown> = []
const careful = toolOf("careful", (input) => Effect.sync(() => (ran.push(input), ok("it is done"))))
const results = (w: World, request: number) =>
  blocksOf(w.emulator.requests[request]!.request.messages.at(-1)!.content).filter(
    (b) => b.type === "tool_result",
  )

describe("orders, on real Postgres and NATS", () => {
  let slow = gate("slow")
  let w: World
  beforeAll(async () => {
    w = await world({
      tools: [{ ...slow.tool, run: (input) => slow.tool.run(input) }, careful],
      settings: { ada: { permissions: { careful: "ask" } } },
    })
    // 9 operates the place; 8 and 7 are people of the room.
    await w.sql("insert into person (id, ws, name, role) values ('p9', $1, 'Olga', 'operator')", [w.ws])
    await w.sql("insert into identity (door, external_user, person) values ($1, '9', 'p9')", [w.door])
  })
  afterEach(async () => {
    expect(w.emulator.refusals()).toEqual([])
    expect(await w.sql("select * from budget where reserved <> 0")).toEqual([])
    expect(await w.sql("select id from turn where state in ('running', 'waiting')")).toEqual([])
    w.emulator.clear()
    slow = gate("slow")
    ran.length = 0
  })
  afterAll(() => w.dispose())
  const toolRuns = () => w.eventually("the tool to run", () => Promise.resolve(slow.calls[0]))
  const outcome = async (room: string, text: string, person = "7", over = {}) =>
    (await w.accept([w.inbound(room, text, { ...other(w, person), ...over })]))[0]!.outcome
  const why = (event: EventId) => w.run(Effect.flatMap(Rooms, (r) => r.why(event, w.agents["ada"]!)))

  it("stop is a word, and anybody in the room may say it", async () => {
    w.emulator.script(useTool("slow", {}))
    const said = await w.say("stop", "do it")
    await toolRuns()
    expect(await outcome("stop", "Stop!", "8")).toBe("stopped @ada")
    const events = await w.watch(said.thread, state("stopped"), said.pos)
    expect(events.some((e) => e.kind === "message" && e.text.startsWith("Stopped."))).toBe(true)
    expect(slow.interrupted()).toBe(1)
    expect(await outcome("stop", "stop")).toBe("nothing was running")
  })

  it("what an order was for can be asked of any agent (P4)", async () => {
    const { event } = await w.say("asked", "stop")
    expect(await why(event)).toMatchObject({ verdict: "pass", reason: "an order: nothing was running" })
  })

  it("wait lets the running tool end and rests before the next call; continue goes on", async () => {
    w.emulator.script(useTool("slow", {}), say("All done."))
    const said = await w.say("wait", "do it")
    const call = await toolRuns()
    expect(await outcome("wait", "wait", "8")).toContain("not allowed")
    expect(await outcome("wait", "wait")).toBe("told to wait: @ada")
    call.open()
    const events = await w.watch(said.thread, state("waiting"), said.pos)
    expect(events.at(-1)).toMatchObject({ reason: "wait" })
    expect(w.emulator.requests.length).toBe(1)
    const more = await w.say("wait", "and then the docs")
    await w.decided(more.event, "joined")
    expect(await outcome("wait", "go on")).toBe("resumed @ada")
    const rest = await w.watch(said.thread, state("finished"), said.pos)
    expect(
      rest.find((e) => answers(e, said.event) && (e as { text: string }).text === "All done."),
    ).toBeDefined()
    expect(w.emulator.requests.length).toBe(2)
    expect(results(w, 1)).toMatchObject([{ content: "slow is done" }])
    expect(JSON.stringify(w.emulator.requests[1]!.request.messages.at(-1))).toContain("and then the docs")
  })

  it("told to wait while the model speaks, it rests before the tools, which run when it goes on", async () => {
    w.emulator.script(useTool("slow", {}, { delayMs: 200 }), say("All done."))
    const said = await w.say("wait2", "do it")
    await w.asked(1)
    expect(await outcome("wait2", "hold on")).toBe("told to wait: @ada")
    await w.watch(said.thread, state("waiting"), said.pos)
    expect(slow.calls).toEqual([])
    expect(await outcome("wait2", "continue")).toBe("resumed @ada")
    ;(await toolRuns()).open()
    await w.watch(said.thread, state("finished"), said.pos)
    expect(slow.calls.length).toBe(1)
    expect(await w.sql("select tools from turn where event = $1", [said.event])).toEqual([{ tools: 1 }])
  })

  it("a tool that needs permission runs once a person with the right allows it, with the input that was asked", async () => {
    w.emulator.script(useTool("careful", { path: "/etc" }), say("It is done."))
    const said = await w.say("ask", "do it")
    const events = await w.watch(said.thread, state("waiting"), said.pos)
    expect(events.at(-1)).toMatchObject({ reason: "approval" })
    const ask = events.find((e) => e.kind === "message" && e.actions !== undefined) as Extract<
      Event,
      { kind: "message" }
    >
    expect(ask.text).toContain('careful: `careful {"path":"/etc"}`')
    expect(events.find((e) => e.kind === "approval")).toMatchObject({ state: "asked", answer: null })
    expect(ran).toEqual([])
    // P13: not who merely is in the room.
    expect(await outcome("ask", "approve", "8")).toMatch(/^not allowed/)
    expect(ran).toEqual([])
    // A button says which.
    expect(await outcome("ask", "Approve", "7", { order: ask.actions![0]!.order })).toBe("allowed @ada")
    const rest = await w.watch(said.thread, state("finished"), said.pos)
    expect(ran).toEqual([{ path: "/etc" }])
    expect(rest.find((e) => e.kind === "approval" && e.state === "answered")).toMatchObject({
      answer: "yes",
      by: `${w.door}:7`,
    })
    // Pressed again.
    expect(await outcome("ask", "Approve", "7", { order: ask.actions![0]!.order })).toBe(
      "it was answered already",
    )
    expect(ran.length).toBe(1)
  })

  it("a refusal is a result the model reads, and an operator may give it", async () => {
    w.emulator.script(useTool("careful", {}), say("Then not."))
    const said = await w.say("no", "do it")
    await w.watch(said.thread, state("waiting"), said.pos)
    expect(await outcome("no", "refuse", "9")).toBe("refused @ada")
    const rest = await w.watch(said.thread, state("finished"), said.pos)
    expect(rest.some((e) => e.kind === "message" && e.text === "Then not.")).toBe(true)
    expect(ran).toEqual([])
    expect(results(w, 1)).toMatchObject([{ is_error: true, content: expect.stringContaining("refused") }])
  })

  it("a permission that nobody gives within a day counts as refused", async () => {
    w.emulator.script(useTool("careful", {}), say("Nobody came."))
    const said = await w.say("late", "do it")
    await w.watch(said.thread, state("waiting"), said.pos)
    await w.sql("update approval set asked_at = now() - interval '25 hours' where answer is null")
    const { expire } = await import("../janitor/Expire.ts")
    await w.run(expire)
    const rest = await w.watch(said.thread, state("finished"), said.pos)
    expect(rest.find((e) => e.kind === "approval" && e.state === "answered")).toMatchObject({
      answer: "expired",
    })
    expect(ran).toEqual([])
  })

  it("a turn that waits for permission can be stopped, and says what did not run (P12)", async () => {
    w.emulator.script(useTool("careful", { a: 1 }))
    const said = await w.say("stopped", "do it")
    await w.watch(said.thread, state("waiting"), said.pos)
    expect(await outcome("stopped", "stop", "8")).toBe("stopped @ada")
    const rest = await w.watch(said.thread, state("stopped"), said.pos)
    expect(rest.findLast((e) => e.kind === "message")).toMatchObject({
      text: expect.stringContaining('Not run: `careful {"a":1}`'),
    })
    expect(ran).toEqual([])
    w.emulator.script(say("Going on."))
    expect((await w.ask("stopped", "continue")).answer.text).toBe("Going on.")
  })

  it("an order that was accepted by a process that died before carrying it out is carried out once (P4)", async () => {
    w.emulator.script(useTool("slow", {}))
    const said = await w.say("lost", "do it")
    await toolRuns()
    const order = await w.say("lost", "/queue never mind")
    await w.decided(order.event, "queued")
    // As S1 leaves it: accepted, due, not carried out.
    await w.sql(
      `update event set body = body || '{"order": {"verb": "stop"}, "slots": ["!"], "mentions": []}' where id = $1`,
      [order.event],
    )
    await w.sql("update decision set slot = '!', state = 'due', agent = null where event = $1", [order.event])
    const { repairOverdue } = await import("../janitor/Repair.ts")
    await w.sql("update decision set due_at = now() - interval '1 minute' where event = $1", [order.event])
    await w.run(repairOverdue)
    await w.watch(said.thread, state("stopped"), said.pos)
    expect(await w.sql("select state, reason from decision where event = $1", [order.event])).toEqual([
      { state: "done", reason: "stopped @ada" },
    ])
  })

  it("queued words wait for their own turn; interrupting words cut off what runs", async () => {
    w.emulator.script(useTool("slow", {}), say("First."), say("Second."))
    const asked = w.ask("modes", "one")
    const call = await toolRuns()
    const queued = await w.say("modes", "/queue two")
    await w.decided(queued.event, "queued")
    call.open()
    expect((await asked).answer.text).toBe("First.")
    await w.watch(queued.thread, (e) => answers(e, queued.event))
    w.emulator.clear()
    w.emulator.script(say("a long story", { hangAfter: 2 }), say("The short one."))
    const long = await w.say("modes", "tell me a story")
    await w.asked(1)
    const now = await w.say("modes", "/interrupt make it short")
    const events = await w.watch(long.thread, state("finished"), long.pos)
    expect(events.findLast((e) => e.kind === "message")).toMatchObject({
      text: "The short one.",
      replyTo: long.event,
    })
    expect(await why(now.event)).toMatchObject({ verdict: "joined" })
    await w.run(w.emulator.hungUp)
  })

  it("a stopped order is not lost between its commit and its wake-up", async () => {
    w.emulator.script(useTool("slow", {}))
    const said = await w.say("commit", "do it")
    await toolRuns()
    const { turn } = await w.decided(said.event, "lead")
    // Only the committed mark, as after a lost wake-up: the janitor tells it again.
    await w.sql("update turn set stop = true where id = $1", [turn])
    await w.watch(said.thread, state("stopped"), said.pos)
    expect(await w.run(Effect.flatMap(Journal, (j) => j.stop(turn)))).toBe(false)
  })

  it("stop acts while the API is waited for", async () => {
    w.emulator.respond(() => fail(529, "overloaded_error", "busy"))
    const said = await w.say("backoff", "do it")
    await w.asked(1)
    const from = performance.now()
    expect(await outcome("backoff", "stop")).toBe("stopped @ada")
    await w.watch(said.thread, state("stopped"), said.pos)
    expect(performance.now() - from).toBeLessThan(1000)
    w.emulator.respond(() => say("Done."))
  })
})

describe("the end of a chain of agents", () => {
  it("continue asks those whom the last words named and did not reach (P10)", async () => {
    const w = await world({ agents: ["ada", "bo"] })
    w.emulator.respond((request) =>
      say(
        /you=\\"@ada/.test(JSON.stringify(request.messages.at(-1))) ? "Thanks @bo!" : "No, thank you @ada!",
      ),
    )
    const { thread } = await w.say("chain", "@ada thank bo")
    const events = await w.watch(
      thread,
      (e) => e.kind === "message" && e.text.includes("Nobody else was called"),
    )
    const last = events.at(-1) as Extract<Event, { kind: "message" }>
    w.emulator.respond(() => say("Enough now."))
    const more = await w.say("chain", "continue")
    const answer = (await w.watch(thread as ThreadId, (e) => answers(e, more.event), more.pos)).at(-1)
    // Who was not called is asked, as the work of who said so, with fresh limits.
    expect(answer).toMatchObject({ author: { id: last.uncalled![0] }, hop: 1, root: more.event })
    await w.dispose()
  })
})
