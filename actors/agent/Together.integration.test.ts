import * as Effect from "effect/Effect"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { blocksOf, fail, say, useTool, type MessagesRequest } from "../../infra/emulators/anthropic/index.ts"
import { answers, world, type World } from "../../infra/testing/World.ts"
import { Rooms, Roster, type Event, type EventId } from "../../runtime/index.ts"
import { gate, ok, toolOf } from "../conversation/testing.ts"
import { inviteTool } from "../conversation/tools/InviteTool.ts"

const self = (request: MessagesRequest): string =>
  /you=\\"@(\w+)\\"(?![^]*you=)/.exec(JSON.stringify(request.messages))![1]!
const last = (request: MessagesRequest): string => JSON.stringify(blocksOf(request.messages.at(-1)!.content))
const words = (events: ReadonlyArray<Event>) => events.flatMap((e) => (e.kind === "message" ? [e] : []))

describe("agents that work together, on real Postgres and NATS", () => {
  const slow = gate("slow")
  let w: World
  beforeAll(async () => {
    w = await world({
      agents: ["ada", "bo", "cy"],
      tools: Effect.map(inviteTool, (invite) => [
        slow.tool,
        invite,
        toolOf("echo", () => Effect.succeed(ok("echoed"))),
      ]),
      settings: { cy: { patience: 5 } },
    })
  })
  afterEach(() => {
    expect(w.emulator.refusals()).toEqual([])
    w.emulator.clear()
    slow.calls.length = 0
  })
  afterAll(() => w.dispose())

  it("a lead invites and goes on; what comes of it joins its work (P5, P13)", async () => {
    w.emulator.respond((request) => {
      if (self(request) === "bo") return say("Looks right.")
      if (last(request).includes("Looks right.")) return say("Checked by bo, done.")
      return last(request).includes("Asked @bo")
        ? useTool("slow", {})
        : useTool("invite", { agent: "bo", request: "check the diff" })
    })
    const { event, thread, pos } = await w.say("invite", "@ada do it")
    const call = await w.eventually("the tool to run", () => Promise.resolve(slow.calls[0]))
    const upTo = await w.watch(thread, (e) => e.kind === "turn" && e.state === "joined", pos)
    call.open()
    const events = [
      ...upTo,
      ...(await w.watch(
        thread,
        (e) => answers(e, event) && (e as { text: string }).text.includes("done"),
        upTo.at(-1)!.pos,
      )),
    ]
    expect(words(events).map((e) => [e.author.name, e.text, e.hop])).toEqual([
      ["ada", "@bo check the diff", 1],
      ["bo", "Looks right.", 2],
      ["ada", "Checked by bo, done.", 1],
    ])
    expect(new Set(words(events).map((e) => e.principal))).toEqual(new Set([`${w.door}:7`]))
    // The invited is told what the inviter is doing, in its newest message and not in the system prompt.
    const bo = w.emulator.requests.find((r) => self(r.request) === "bo")!.request
    expect(last(bo)).toMatch(/@ada works on what Eva said: .*@ada do it.*; last it ran: /)
    expect(JSON.stringify(bo.system)).not.toContain("@ada works on")
  })

  it("what comes after the inviter's end begins its next turn", async () => {
    w.emulator.respond((request) => {
      if (self(request) === "bo") return say("Here it is.", { delayMs: 150 })
      if (last(request).includes("Here it is.")) return say("Thanks, all done.")
      return last(request).includes("Asked @bo")
        ? say("I asked bo.")
        : useTool("invite", { agent: "@bo", request: "find it" })
    })
    const { answer } = await w.ask("after", "@ada do it")
    expect(answer.text).toBe("@bo find it")
    const events = await w.watch(
      answer.thread,
      (e) => e.kind === "message" && e.text === "Thanks, all done.",
      answer.pos,
    )
    expect(words(events).map((e) => e.text)).toEqual(["I asked bo.", "Here it is.", "Thanks, all done."])
    expect(await w.sql("select 1 from decision where state = 'due'")).toEqual([])
  })

  it("a helper that fails tells the inviter", async () => {
    w.emulator.respond((request) => {
      if (self(request) === "bo") return fail(401, "authentication_error", "no")
      if (last(request).includes("I can not answer")) return say("Then without bo.")
      return last(request).includes("Asked @bo")
        ? say("I asked bo.")
        : useTool("invite", { agent: "bo", request: "find it" })
    })
    const { thread, pos } = await w.say("fails", "@ada do it")
    await w.watch(thread, (e) => e.kind === "message" && e.text === "Then without bo.", pos)
  })

  it("who is invited must be here, and one is not", async () => {
    w.emulator.respond((request) =>
      last(request).includes("tool_result")
        ? say("Alone then.")
        : useTool("invite", { agent: "zoe", request: "help" }),
    )
    await w.ask("nobody", "@ada do it")
    expect(last(w.emulator.requests.at(-1)!.request)).toContain(
      "Nobody here is called @zoe. In this room: @bo, @cy.",
    )
  })

  it("bare names in front address people's words, and each leads its slot", async () => {
    w.emulator.respond(() => say("Here."))
    const { event, thread } = await w.say("names", "ada and bo, please look")
    let n = 0
    await w.watch(thread, (e) => answers(e, event) && ++n === 2)
    expect(await w.sql("select state from decision where event = $1", [event])).toEqual([
      { state: "lead" },
      { state: "lead" },
    ])
  })

  it("words that were open for longer than its patience are left alone, addressed ones are answered (P4)", async () => {
    const why = (id: EventId) => w.run(Effect.flatMap(Rooms, (r) => r.why(id, w.agents["cy"]!)))
    w.emulator.respond(() => say("Yes?"))
    const { decide } = await import("./Decide.ts")
    const door = await w.run(Effect.map(Roster, (r) => r.now().doors.get(w.door)!))
    const { event } = await w.ask("old", "anybody?")
    const said = (await w.run(Effect.flatMap(Rooms, (r) => r.message(event))))!
    const at = Date.parse(said.at)
    const order = door.members.map((m) => m.agent.id)
    const mine = (slots: ReadonlyArray<string>, agent = w.agents["cy"]!, minutes = 6) =>
      decide({ ...said, slots, lastLead: agent, edits: null }, agent, door, at + minutes * 60_000).verdict
    expect(mine(["*"])).toBe("pass")
    expect(mine(["*"], w.agents["cy"]!, 4)).toBe("mine")
    expect(mine(["*"], w.agents["ada"]!)).toBe("mine")
    expect(mine([w.agents["cy"]!], w.agents["cy"]!, 600)).toBe("mine")
    expect(order.length).toBe(3)
    // Nobody was there: the slot is closed, with the reason.
    await w.sql("update decision set state = 'due', agent = null where event = $1", [event])
    await w.sql("update event set at = now() - interval '1 day' where id = $1", [event])
    await w.sql("update member set since = now() - interval '2 days'")
    await w.run(Effect.flatMap(Roster, (r) => r.reload))
    const { expire } = await import("../janitor/Expire.ts")
    await w.run(expire)
    expect(await why(event)).toMatchObject({ verdict: "pass", reason: expect.stringContaining("in time") })
  })
})

it("who invited an agent that has left is told", async () => {
  const agents = ["ada", "bo"]
  const tools = Effect.map(inviteTool, (invite) => [invite])
  const door = await world({ agents, tools, wants: (name) => !name.startsWith("agent:") })
  // bo's ear is closed: what asks it stays due.
  const ears = await world({
    agents,
    tools,
    beside: door,
    wants: (name) => name === `agent:${door.agents["ada"]}`,
  })
  door.emulator.respond((request) => {
    if (last(request).includes("not in this room any more")) return say("Then I do it.")
    return last(request).includes("Asked @bo")
      ? say("I asked bo.")
      : useTool("invite", { agent: "bo", request: "find it" })
  })
  const { thread, pos } = await door.say("left", "@ada do it")
  await door.watch(thread, (e) => e.kind === "message" && e.text === "I asked bo.", pos)
  await door.sql("delete from member where agent = $1", [door.agents["bo"]])
  await door.sql("update decision set repairs = 1 where state = 'due'")
  await door.run(Effect.flatMap(Roster, (r) => r.reload))
  const { expire } = await import("../janitor/Expire.ts")
  await door.run(expire)
  const events = await door.watch(thread, (e) => e.kind === "message" && e.text === "Then I do it.", pos)
  expect(words(events).find((e) => e.author.kind === "system")?.text).toContain(
    "@bo is not in this room any more",
  )
  await ears.dispose()
  await door.dispose()
})

describe("triage by a model", () => {
  it("one call finds who is asked, as a journalled step on the budget of the words; nobody may be", async () => {
    const w = await world({ agents: ["ada", "bo"], triage: "model", interests: { bo: ["risk"] } })
    const isTriage = (request: MessagesRequest) => JSON.stringify(request.system).includes("<triage>")
    w.emulator.respond((request) => {
      if (!isTriage(request)) return say("I look at it.")
      return say(
        last(request).includes("weather") ? "nobody: they talk among themselves" : "@bo: it is about risk",
      )
    })
    const group = { direct: false }
    const { event, thread } = await w.say("triage", "is this safe?", group)
    const events = await w.watch(thread, (e) => answers(e, event))
    expect(words(events).at(-1)).toMatchObject({ author: { id: w.agents["bo"] } })
    expect(w.emulator.requests.filter((r) => isTriage(r.request))).toHaveLength(1)
    expect(w.emulator.requests[0]!.request.model).toBe("claude-haiku-5-5")
    expect(last(w.emulator.requests[0]!.request)).toContain("is this safe?")
    const why = (id: EventId, agent: string) =>
      w.run(Effect.flatMap(Rooms, (r) => r.why(id, w.agents[agent]!)))
    expect(await why(event, "bo")).toMatchObject({ verdict: "lead" })
    expect(await why(event, "ada")).toMatchObject({ verdict: "pass", reason: "triage: it is about risk" })
    const [step] = await w.sql<{ cost: number; state: string }>(
      "select cost::int as cost, state from step where turn = $1",
      [`triage:${event}`],
    )
    expect(step).toMatchObject({ state: "saved" })
    expect(step!.cost).toBeGreaterThan(0)
    await w.watch(thread, (e) => e.kind === "turn" && e.state === "finished")
    const [root] = await w.sql<{ spent: number }>(
      "select spent::int as spent from budget where key = $1 and reserved = 0",
      [event],
    )
    const [turn] = await w.sql<{ cost: number }>("select cost::int as cost from turn where event = $1", [
      event,
    ])
    expect(root!.spent).toBe(step!.cost + turn!.cost)

    const chat = await w.say("triage", "nice weather", group)
    await w.decided(chat.event, "done")
    expect(await why(chat.event, "bo")).toMatchObject({ verdict: "pass", reason: "triage: nobody is needed" })
    expect(w.emulator.refusals()).toEqual([])
    await w.dispose()
  })

  it("where the call fails the first in rank is asked", async () => {
    const w = await world({ agents: ["ada", "bo"], triage: "model" })
    w.emulator.respond((request) =>
      JSON.stringify(request.system).includes("<triage>")
        ? fail(400, "invalid_request_error", "no")
        : say("I do it."),
    )
    const { event, thread } = await w.say("broken", "anybody?", { direct: false })
    await w.watch(thread, (e) => answers(e, event))
    expect(await w.sql("select reason from decision where event = $1 and slot = '?'", [event])).toEqual([
      { reason: "triage failed: first in rank" },
    ])
    await w.dispose()
  })
})
