import * as Effect from "effect/Effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { answers, world, type World } from "../../infra/testing/World.ts"
import { Redaction, Rooms, SayDoor, type EventId, type MessageEvent, type ThreadId } from "../index.ts"

let w: World
beforeAll(async () => {
  w = await world({ agents: ["ada"], outside: ["eve", "max"] })
})
afterAll(() => w.dispose())

let serial = 0
const send = (speaker: string, thread: string, request: object) =>
  w.run(Effect.flatMap(SayDoor, (door) => door.say(speaker, thread, JSON.stringify(request))))
/** What eve says; must be accepted. */
const eve = async (thread: string, request: object) => {
  const answer = await send(w.agents["eve"]!, thread, { id: `n${serial++}`, ...request })
  if ("error" in answer) throw new Error(answer.error)
  return answer
}
const refused = async (speaker: string, thread: string, request: object) => {
  const answer = await send(speaker, thread, request)
  return "error" in answer ? answer.error : `accepted: ${JSON.stringify(answer)}`
}
const message = async (id: string) =>
  (await w.run(Effect.flatMap(Rooms, (rooms) => rooms.message(id as EventId)))) as MessageEvent
const why = (event: string, agent: string) =>
  w.run(Effect.flatMap(Rooms, (rooms) => rooms.why(event as EventId, w.agents[agent]!)))

describe("an outside agent that is asked", () => {
  it("leads its slot by what it answers, for the person who asked", async () => {
    const said = await w.say("asked", "@eve what is the time?")
    expect(await why(said.event, "eve")).toMatchObject({ verdict: "due" })
    const { event, pos } = await eve(said.thread, { text: "Noon.", replyTo: said.event })
    expect(await message(event)).toMatchObject({
      pos,
      text: "Noon.",
      author: { id: w.agents["eve"], name: "eve", kind: "agent" },
      replyTo: said.event,
      root: said.event,
      hop: 1,
      slots: [],
      principal: `${w.door}:7`,
      turn: null,
    })
    expect(await why(said.event, "eve")).toMatchObject({ verdict: "lead", reason: "answered" })
    expect(await why(said.event, "ada")).toMatchObject({ verdict: "pass", reason: "addressed to eve" })
    const events = await w.watch(said.thread, (e) => e.kind === "intent")
    expect(events.at(-1)).toMatchObject({ message: said.event, leader: w.agents["eve"], verdict: "lead" })
  })

  it("tells who invited it what came of it, or that nothing did", async () => {
    const said = await w.say("invited", "@ada ask max")
    /** As the invite tool writes it. */
    const invite = async () => {
      const { event } = await eve(said.thread, { text: "Please look.", replyTo: said.event })
      await w.sql(
        `with e as (update event set body = body || jsonb_build_object('invites', true, 'slots', jsonb_build_array($2::text),
           'author', (body->'author') || jsonb_build_object('id', $3::text)) where id = $1 returning id, thread)
         insert into decision (event, slot, thread, ws, state) select id, $2, thread, $4, 'due' from e`,
        [event, w.agents["max"], w.agents["ada"], w.ws],
      )
      return event
    }
    const first = await invite()
    const answer = await send(w.agents["max"]!, said.thread, { id: "r", text: "Done.", replyTo: first })
    if ("error" in answer) throw new Error(answer.error)
    expect(await message(answer.event)).toMatchObject({ mentions: [], slots: [w.agents["ada"]] })
    const second = await invite()
    await w.sql("update event set at = now() - interval '11 minutes' where id = $1", [second])
    await w.decided(second, "parked")
    const notice = await w.row<{ body: unknown }>(
      "select body from event where thread = $1 and body->>'replyTo' = $2 and body->'author'->>'kind' = 'system'",
      [said.thread, second],
    )
    expect(notice).toMatchObject({ body: { slots: [w.agents["ada"]] } })
  })

  it("needs not name what it answers", async () => {
    const first = await w.say("unnamed", "@eve one")
    const second = await w.say("unnamed", "@eve two")
    const one = await eve(first.thread, { text: "to one" })
    const two = await eve(first.thread, { text: "to two", replyTo: null })
    expect((await message(one.event)).replyTo).toBe(first.event)
    expect((await message(two.event)).replyTo).toBe(second.event)
  })

  it("is given up after its patience, and the room is told once", async () => {
    const said = await w.say("late", "@eve are you there?")
    await w.sql("update event set at = now() - interval '11 minutes' where id = $1", [said.event])
    await w.decided(said.event, "parked")
    const events = await w.watch(said.thread, (e) => e.kind === "intent")
    const notices = events.filter((e) => e.kind === "message" && e.author.kind === "system")
    expect(notices).toMatchObject([{ replyTo: said.event, slots: [] }])
    expect(await why(said.event, "eve")).toMatchObject({
      verdict: "parked",
      reason: "did not answer within 10 minutes",
    })
    // Late words are words all the same; the slot stays given up.
    await eve(said.thread, { text: "Here now.", replyTo: said.event })
    expect(await why(said.event, "eve")).toMatchObject({ verdict: "parked" })
  })

  it("takes no open slot, and says why", async () => {
    const { event, answer } = await w.ask("open", "somebody?")
    expect(answer.author.name).toBe("ada")
    expect(await why(event, "eve")).toMatchObject({
      verdict: "pass",
      reason: "an outside agent answers when it is addressed",
    })
  })
})

describe("what an outside agent says", () => {
  it("is said once, however often it is sent, also at the same time", async () => {
    const { thread } = await w.say("once", "@ada hello")
    const request = { id: "same", text: "@ada look" }
    const all = await Promise.all([1, 2, 3].map(() => send(w.agents["eve"]!, thread, request)))
    all.push(await send(w.agents["eve"]!, thread, request))
    expect(new Set(all.map((a) => JSON.stringify(a))).size).toBe(1)
    expect(all[0]).toMatchObject({ thread })
    const rows = await w.sql("select 1 from event where thread = $1 and body->>'text' = '@ada look'", [
      thread,
    ])
    expect(rows.length).toBe(1)
    // The same id of another speaker, or in another room, is something else.
    expect(await send(w.agents["max"]!, thread, request)).not.toEqual(all[0])
  })

  it("asks agents of the room, which answer it for the same person", async () => {
    const said = await w.say("ask", "@eve get ada to help")
    const { event, pos } = await eve(said.thread, { text: "@ada please help", replyTo: said.event })
    const events = await w.watch(said.thread, (e) => answers(e, event), pos)
    expect(events.at(-1)).toMatchObject({ hop: 2, root: said.event, principal: `${w.door}:7` })
    expect(await why(event, "ada")).toMatchObject({ verdict: "lead", reason: "called by @eve" })
  })

  it("calls nobody after six hops, and is refused after that", async () => {
    const said = await w.say("hops", "@eve and @max, thank each other")
    let before: string = said.event
    for (let hop = 1; hop <= 6; hop++) {
      const name = hop % 2 === 1 ? "eve" : "max"
      const other = hop % 2 === 1 ? "max" : "eve"
      const answer = await send(w.agents[name]!, said.thread, {
        id: `hop${hop}`,
        text: `@${other} thanks`,
        replyTo: before,
      })
      if ("error" in answer) throw new Error(answer.error)
      const words = await message(answer.event)
      expect(words).toMatchObject({ hop, slots: hop < 6 ? [w.agents[other]] : [] })
      before = answer.event
    }
    expect(await message(before)).toMatchObject({
      text: expect.stringContaining("Nobody else was called") as string,
      uncalled: [w.agents["eve"]],
    })
    const sixth = await send(w.agents["max"]!, said.thread, { id: "hop6", text: "@eve thanks" })
    expect(sixth).toMatchObject({ event: before })
    const request = { id: "hop7", text: "@max thanks", replyTo: before }
    expect(await refused(w.agents["eve"]!, said.thread, request)).toContain("a person has to speak first")
  })

  it("starts few things of its own, and stands for itself in them", async () => {
    const rooms: Array<string> = []
    for (let n = 0; n < 6; n++)
      rooms.push(
        (
          (await send(w.agents["max"]!, "new", { id: `r${n}`, text: "@eve alarm", title: "Alarm" })) as {
            thread: string
          }
        ).thread,
      )
    expect(new Set(rooms).size).toBe(6)
    const seventh = { id: "r7", text: "@eve alarm", title: "Alarm" }
    expect(await refused(w.agents["max"]!, "new", seventh)).toContain("have begun too much by yourself")
    const [first] = await w.run(Effect.flatMap(Rooms, (r) => r.events(rooms[0] as ThreadId, 0, 1)))
    expect(first).toMatchObject({
      hop: 1,
      root: first!.id,
      principal: `${w.door}:${w.agents["max"]}`,
      replyTo: null,
    })
    // Sent again, it opens no second room.
    const again = await send(w.agents["max"]!, "new", { id: "r0", text: "@eve alarm", title: "Alarm" })
    expect(again).toMatchObject({ thread: rooms[0], pos: 1 })
    // What was refused left no empty room behind.
    const titles = await w.sql("select 1 from thread where title = 'Alarm'")
    expect(titles.length).toBe(6)
  })

  it("has no secret in it, neither in the room nor in the inbox", async () => {
    const { thread } = await w.say("secret", "@ada hello")
    await w.run(Effect.map(Redaction, (r) => r.add("hunter2-hunter2")))
    const { event } = await eve(thread, { id: "leak", text: "it is hunter2-hunter2" })
    expect((await message(event)).text).toBe("it is [redacted]")
    const rows = await w.sql("select 1 from inbox where raw::text like '%hunter2-hunter2%'")
    expect(rows.length).toBe(0)
  })

  it("is refused in one sentence where it cannot be said", async () => {
    const { thread } = await w.say("refused", "@ada hello")
    const other = await w.say("elsewhere", "@ada hello")
    const me = w.agents["eve"]!
    expect(await refused("nobody", thread, { id: "1", text: "x" })).toContain("No outside agent has this id")
    expect(await refused(w.agents["ada"]!, thread, { id: "1", text: "x" })).toContain("No outside agent")
    expect(await refused(me, "nowhere", { id: "1", text: "x" })).toContain("There is no room nowhere")
    expect(await refused(me, thread, { id: "1", text: "x", replyTo: other.event })).toContain("replyTo")
    expect(await refused(me, thread, { id: "1", text: "" })).toContain("1 to 32768 characters")
    expect(await refused(me, thread, { id: "1", text: "x".repeat(32_769) })).toContain("32768")
    expect(await refused(me, thread, { id: "1", text: "x".repeat(300_000) })).toContain("too large")
    // Root, hop and principal are not the program's to say, and a message of the bus is no request.
    expect(await refused(me, thread, { id: "1", text: "x", root: other.event })).toContain("docs/bus.md")
    expect(await refused(me, thread, await message(other.event))).toContain("docs/bus.md")
    expect(await refused(me, "new", { id: "1", text: "x", title: "t", door: "nope" })).toContain("no member")
  })
})

it("a speaker that floods is told to wait", async () => {
  const { thread } = await w.say("flood", "@ada hello")
  const all = await Promise.all(
    Array.from({ length: 90 }, (_, n) => send(w.agents["eve"]!, thread, { id: `f${n}`, text: "x" })),
  )
  const late = all.filter((a) => "error" in a)
  expect(late.length).toBeGreaterThan(0)
  expect(late[0]).toMatchObject({ error: expect.stringContaining("send the same again with the same id") })
})
