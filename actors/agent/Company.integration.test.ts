import * as Effect from "effect/Effect"
import * as FastCheck from "fast-check"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { blocksOf, say } from "../../infra/emulators/anthropic/index.ts"
import { answers, world, type World } from "../../infra/testing/World.ts"
import { Rooms, type AgentId, type Event, type EventId, type ThreadId } from "../../runtime/index.ts"

const self = (request: { readonly messages: ReadonlyArray<unknown> }): string =>
  /you=\\"@(\w+)\\"(?![^]*you=)/.exec(JSON.stringify(request.messages))![1]!
const said = (events: ReadonlyArray<Event>) =>
  events.flatMap((e) => (e.kind === "message" && e.author.kind === "agent" ? [e] : []))

describe("agents in one room, on real Postgres and NATS", () => {
  let w: World
  beforeAll(async () => {
    w = await world({ agents: ["ada", "bo", "cy"], triage: "interests", interests: { bo: ["bug"] } })
  })
  afterEach(() => {
    expect(w.emulator.refusals()).toEqual([])
    w.emulator.clear()
    w.emulator.respond(() => say("Done."))
  })
  afterAll(() => w.dispose())
  const names = () => new Map(Object.entries(w.agents).map(([name, id]) => [id as string, name]))

  it("hand work on by a mention: same root, same principal, one hop further", async () => {
    w.emulator.respond((request) =>
      self(request) === "ada" ? say("@bo can you check this?") : say("Checked."),
    )
    const { answer } = await w.ask("hand", "@ada do it")
    expect(answer).toMatchObject({ hop: 1, slots: [w.agents["bo"]], principal: `${w.door}:7` })
    const events = await w.watch(answer.thread, (e) => answers(e, answer.id), answer.pos)
    expect(events.at(-1)).toMatchObject({
      text: "Checked.",
      hop: 2,
      root: answer.root,
      principal: `${w.door}:7`,
      author: { id: w.agents["bo"] },
    })
    expect(events.find((e) => e.kind === "intent")).toMatchObject({
      verdict: "lead",
      reason: "called by @ada",
    })
    // Who was not asked is silent, and its silence has a reason.
    const why = await w.run(Effect.flatMap(Rooms, (r) => r.why(answer.id, w.agents["cy"]!)))
    expect(why).toMatchObject({ verdict: "pass", reason: "addressed to bo" })
  })

  it("do not react to their own words, nor to words that name nobody", async () => {
    w.emulator.respond(() => say("I am @ada, and @ada is me."))
    const { answer } = await w.ask("own", "@ada who are you?")
    expect(answer.slots).toEqual([])
    const { pos } = await w.say("own", "nobody asks", { direct: false })
    await w.ask("own", "@bo are you there?")
    expect(pos).toBeGreaterThan(answer.pos)
    expect(w.emulator.requests.map((r) => self(r.request))).toEqual(["ada", "bo"])
  })

  it("stop answering each other after six messages, and say so (P10)", async () => {
    w.emulator.respond((request) => say(self(request) === "ada" ? "Thanks @bo!" : "No, thank you @ada!"))
    const { thread, event } = await w.say("loop", "@ada thank bo")
    const events = await w.watch(
      thread,
      (e) => e.kind === "message" && e.text.includes("Nobody else was called"),
    )
    const all = said(events)
    expect(all.map((e) => names().get(e.author.id))).toEqual(["ada", "bo", "ada", "bo", "ada", "bo"])
    expect(all.map((e) => e.hop)).toEqual([1, 2, 3, 4, 5, 6])
    expect(new Set(all.map((e) => e.root))).toEqual(new Set([event]))
    expect(all.at(-1)!.slots).toEqual([])
  })

  it("the open slot of a direct room is led by exactly one", async () => {
    const { thread, event } = await w.say("direct", "hello?")
    await w.watch(thread, (e) => answers(e, event))
    const reasons = await Promise.all(
      Object.values(w.agents).map((a) => w.run(Effect.flatMap(Rooms, (r) => r.why(event, a)))),
    )
    expect(reasons.map((r) => r?.verdict).toSorted()).toEqual(["lead", "pass", "pass"])
    expect(await w.sql("select count(*)::int as n from turn where event = $1", [event])).toEqual([{ n: 1 }])
  })

  it("open words of a group are led by who declared an interest, or nobody was asked", async () => {
    const group = { direct: false }
    const { thread, event } = await w.say("group", "there is a bug here", group)
    const answer = said(await w.watch(thread, (e) => answers(e, event)))[0]!
    expect(answer.author.id).toBe(w.agents["bo"])
    const other = await w.say("group", "nice weather", group)
    await w.ask("group", "@cy ok?", group)
    const why = await w.run(Effect.flatMap(Rooms, (r) => r.why(other.event, w.agents["bo"]!)))
    expect(why).toMatchObject({ verdict: "pass", reason: "nobody was asked" })
  })

  it("an edit that newly addresses an agent starts its turn (P1)", async () => {
    await w.ask("edit", "@ada look", { sourceKey: "web:look" })
    const edit = await w.say("edit", "@ada and @bo look", { sourceKey: "web:look:2", edits: "web:look" })
    const events = await w.watch(edit.thread, (e) => answers(e, edit.event), edit.pos)
    expect(said(events).map((e) => names().get(e.author.id))).toEqual(["bo"])
  })

  it("a garbled message on the bus harms nobody", async () => {
    const { thread } = await w.ask("garbled", "@ada hello")
    const { Bus, Subject } = await import("../../runtime/index.ts")
    await w.run(
      Effect.flatMap(Bus, (bus) =>
        bus.publish(
          ["{", "null", '{"thread":1}'].map((payload, n) => ({
            subject: Subject.eventSubject(w.ws, w.door, thread, "message"),
            id: `garbled-${n}`,
            payload,
          })),
        ),
      ),
    )
    const { answer } = await w.ask("garbled", "@ada still there?")
    expect(answer.text).toBe("Done.")
    expect(await w.sql("select count(*)::int as n from turn where state = 'running'")).toEqual([{ n: 0 }])
  })
})

/** Words as rooms have them: direct or in a group, naming some, touching interests or not, of several persons. */
const wordsOf = FastCheck.record({
  room: FastCheck.constantFrom("one", "two", "three"),
  direct: FastCheck.boolean(),
  names: FastCheck.subarray(["@ada", "@bo", "@cy"]),
  words: FastCheck.constantFrom("hello", "a bug", "release day", "so what"),
  person: FastCheck.constantFrom("7", "8"),
})

it("for random rooms, every slot has one owner and every silence a reason (P4, P5)", async () => {
  const w = await world({
    agents: ["ada", "bo", "cy"],
    triage: "interests",
    interests: { bo: ["bug"], cy: ["bug", "release"] },
  })
  w.emulator.respond((request) => say(`${blocksOf(request.messages.at(-1)!.content).length} blocks.`))
  const samples = FastCheck.sample(FastCheck.array(wordsOf, { minLength: 25, maxLength: 25 }), {
    numRuns: 2,
    seed: 20261124,
  })
  for (const sample of samples) {
    const accepted = await w.accept(
      sample.map((s) =>
        w.inbound(s.room, [...s.names, s.words].join(" "), {
          direct: s.direct,
          author: { door: w.door, id: s.person, name: `Person ${s.person}`, kind: "person" },
        }),
      ),
    )
    await w.eventually("all to be decided", async () => {
      const open = await w.sql(
        "select 1 from decision where state in ('due', 'queued') union all select 1 from turn where state = 'running'",
      )
      return open.length === 0
    })
    for (const { event, thread } of accepted) {
      const id = event as EventId
      const message = (await w.run(Effect.flatMap(Rooms, (r) => r.message(id))))!
      expect(message.thread).toBe(thread as ThreadId)
      const whys = await Promise.all(
        Object.values(w.agents).map((agent) =>
          w.run(Effect.flatMap(Rooms, (r) => Effect.map(r.why(id, agent), (why) => [agent, why!] as const))),
        ),
      )
      const at = (verdicts: ReadonlyArray<string>) =>
        whys.filter(([, why]) => verdicts.includes(why.verdict)).map(([agent]) => agent)
      for (const [, why] of whys) expect(why.reason).not.toBe("")
      const owners = at(["lead", "joined"])
      if (message.slots.includes("*")) expect(owners.length).toBe(1)
      else expect(owners.toSorted()).toEqual([...(message.slots as ReadonlyArray<AgentId>)].toSorted())
      expect(at(["pass"]).length).toBe(3 - owners.length)
      const all = Object.entries(w.agents)
      for (const [agent, why] of whys)
        if (why.verdict === "pass")
          expect(why.reason.split(/\W+/)).not.toContain(all.find(([, id]) => id === agent)![0])
    }
  }
  expect(w.emulator.refusals()).toEqual([])
  await w.dispose()
})
