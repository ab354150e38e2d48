import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import { blocksOf, say, useTool } from "../../infra/emulators/anthropic/index.ts"
import { answers, world, type World, type WorldOptions } from "../../infra/testing/World.ts"
import { Journal, Relay, Rooms, type Event, type EventId, type TurnId } from "../../runtime/index.ts"
import { gate, ok, toolOf } from "./testing.ts"

/**
 * The process stops hearing and learning, as when it is suspended, and another takes over all it owned. Unlike after a
 * kill, the old one goes on with what it was doing: whatever it writes from now on must not count (P9).
 */
const takeover = (old: World, options: WorldOptions = {}) => {
  old.pause()
  return world({ ...options, beside: old })
}
/** What the process was about to write has been written, or refused: its statements go one after the other. */
const written = (w: World) => w.run(Effect.flatMap(Journal, (j) => j.stop("nobody" as TurnId)))
const end = async (...worlds: ReadonlyArray<World>) => {
  expect(worlds[0]!.emulator.refusals()).toEqual([])
  for (const w of worlds.toReversed()) await w.dispose()
}
const said = (events: ReadonlyArray<Event>) =>
  events.flatMap((e) => (e.kind === "message" && e.author.kind === "agent" ? [e.text] : []))
const newest = (w: World) => blocksOf(w.emulator.requests.at(-1)!.request.messages.at(-1)!.content)
const slots = (w: World, event: EventId) =>
  w.sql<{ reserved: number; spent: number }>(
    "select reserved::int as reserved, spent::int as spent from budget where key = $1",
    [event],
  )

it("a model call that was open is made again, its money counts as spent, and the old process writes nothing (P6, P9)", async () => {
  let oldEnded = false
  const a = await world({
    around: (model) => ({
      call: (request, onText) =>
        Effect.ensuring(
          model.call(request, onText),
          Effect.sync(() => (oldEnded = true)),
        ),
    }),
  })
  a.emulator.script(say("old", { delayMs: 900 }), say("new"))
  const { event, thread } = await a.say("model", "hello")
  await a.asked(1)
  const [before] = await slots(a, event)
  const b = await takeover(a)
  const events = await b.watch(thread, (e) => e.kind === "turn" && e.state === "finished")
  expect(said(events)).toEqual(["new"])
  const steps = await b.sql<{ state: string; cost: number }>(
    "select s.state, s.cost::int as cost from step s join turn t on t.id = s.turn where t.event = $1 order by n",
    [event],
  )
  expect(steps.map((s) => s.state)).toEqual(["unknown", "saved"])
  expect(steps[0]!.cost).toBe(before!.reserved)
  expect(await slots(b, event)).toEqual([{ reserved: 0, spent: steps[0]!.cost + steps[1]!.cost }])
  const journal = () =>
    b.sql("select count(*)::int as n, max(at)::text as last from event where thread = $1", [thread])
  const whole = await journal()
  expect(oldEnded).toBe(false)
  await a.eventually("the old call to end", () => Promise.resolve(oldEnded))
  await written(a)
  expect(await journal()).toEqual(whole)
  await end(a, b)
})

it("a tool that was open is repeated where that does no harm, else its outcome is unknown (P6)", async () => {
  for (const idempotent of [true, false]) {
    const hanging = gate("look", { idempotent })
    const a = await world({ tools: [hanging.tool] })
    a.emulator.script(useTool("look", { n: 1 }), say("Seen."))
    const { event, thread } = await a.say("tool", "look")
    await a.eventually("the tool to run", () => Promise.resolve(hanging.calls[0]))
    let runs = 0
    const again = toolOf("look", () => Effect.sync(() => (runs++, ok("looked"))), { idempotent })
    const b = await takeover(a, { tools: [again] })
    const events = await b.watch(thread, (e) => answers(e, event))
    expect(said(events)).toEqual(["Seen."])
    expect(runs).toBe(idempotent ? 1 : 0)
    expect(newest(b)).toMatchObject([
      idempotent
        ? { type: "tool_result", content: "looked" }
        : { content: "interrupted, outcome unknown, check before repeating", is_error: true },
    ])
    expect(events.filter((e) => e.kind === "tool").map((e) => e.state)).toEqual([
      "started",
      idempotent ? "finished" : "unknown",
    ])
    // The old tool ends after all: nobody is interested any more.
    hanging.calls[0]!.open()
    await written(a)
    expect(b.emulator.requests.length).toBe(2)
    await end(a, b)
  }
})

it("words that joined and were not taken in are taken in by whoever goes on", async () => {
  const hanging = gate("slow")
  const a = await world({ tools: [hanging.tool] })
  a.emulator.script(useTool("slow", {}), say("Both."))
  const { event, thread } = await a.say("joined", "do it")
  await a.eventually("the tool to run", () => Promise.resolve(hanging.calls[0]))
  const more = await a.say("joined", "and this too")
  await a.decided(more.event, "joined")
  const b = await takeover(a, { tools: [hanging.tool] })
  expect(said(await b.watch(thread, (e) => answers(e, event)))).toEqual(["Both."])
  expect(newest(b).map((x) => x.type)).toEqual(["tool_result", "text"])
  expect(newest(b)[1]!["text"]).toContain("and this too")
  await end(a, b)
})

it("an answer that was held back for more words is said by whoever goes on", async () => {
  const a = await world()
  a.emulator.script(say("Seven.", { delayMs: 200 }), say("for ever", { hangAfter: 2 }), say("No, eight."))
  const { event, thread } = await a.say("held", "3 + 4?", { sourceKey: "web:held" })
  await a.asked(1)
  await a.say("held", "4 + 4?", { sourceKey: "web:held:2", edits: "web:held" })
  await a.asked(2)
  const b = await takeover(a)
  expect(said(await b.watch(thread, (e) => answers(e, event)))).toEqual(["Seven.\n\nNo, eight."])
  await end(a, b)
})

it("words that wait are answered after the turn they waited for, in order", async () => {
  const a = await world()
  a.emulator.script(say("for ever", { hangAfter: 2 }), say("One."), say("Two."), say("Three."))
  const first = await a.say("queue", "one")
  await a.asked(1)
  const bob = { author: { door: a.door, id: "8", name: "Bob", kind: "person" } } as const
  const second = await a.say("queue", "two", bob)
  const third = await a.say("queue", "three", bob)
  await a.decided(second.event, "queued")
  await a.decided(third.event, "queued")
  const b = await takeover(a)
  const events = await b.watch(first.thread, (e) => answers(e, third.event))
  expect(said(events)).toEqual(["One.", "Two.", "Three."])
  await end(a, b)
})

it("words that wait with no turn before them begin", async () => {
  const a = await world({ wants: (name) => !name.startsWith("agent:") })
  const { event, thread } = await a.say("alone", "hello")
  await a.sql("update decision set state = 'queued', agent = $2 where event = $1", [event, a.agents["ada"]])
  const b = await takeover(a)
  expect(said(await b.watch(thread, (e) => answers(e, event)))).toEqual(["Done."])
  await end(a, b)
})

it("words that are due and were lost on the way are told again at once to the new owner (P4)", async () => {
  const a = await world({ wants: () => false })
  const { event, thread } = await a.say("due", "hello")
  // As if the bus had delivered them to somebody who died, or had lost them.
  await a.sql("update thread set published = head")
  const from = performance.now()
  const b = await takeover(a)
  expect(said(await b.watch(thread, (e) => answers(e, event)))).toEqual(["Done."])
  expect(performance.now() - from).toBeLessThan(4500)
  await end(a, b)
})

it("the third crash of a turn parks it, and the room is told (P8, P11)", async () => {
  const first = await world()
  first.emulator.respond(() => say("for ever", { hangAfter: 2 }))
  const { event, thread } = await first.say("again", "hello")
  const worlds = [first]
  for (let crash = 1; crash <= 3; crash++) {
    await first.asked(crash)
    worlds.push(await takeover(worlds.at(-1)!))
  }
  const last = worlds.at(-1)!
  const events = await last.watch(thread, (e) => e.kind === "turn" && e.state === "parked")
  expect(said(events)).toEqual([
    'I stopped: this work was interrupted again and again. Nothing had been run. Say "continue" to go on.',
  ])
  expect(first.emulator.requests.length).toBe(3)
  expect((await slots(last, event))[0]!.reserved).toBe(0)
  await end(...worlds)
})

it("a turn that gets further between crashes is never parked", async () => {
  const tool = toolOf("step", () => Effect.succeed(ok("one step further")))
  const first = await world({ tools: [tool] })
  // Each life makes one round, then hangs.
  first.emulator.respond((_, n) =>
    n === 8 ? say("There.") : n % 2 === 0 ? useTool("step", {}) : say("for ever", { hangAfter: 2 }),
  )
  const { event, thread } = await first.say("further", "walk")
  const worlds = [first]
  for (let crash = 1; crash <= 4; crash++) {
    await first.asked(2 * crash)
    worlds.push(await takeover(worlds.at(-1)!, { tools: [tool] }))
  }
  expect(said(await worlds.at(-1)!.watch(thread, (e) => answers(e, event)))).toEqual(["There."])
  await end(...worlds)
})

it("a turn whose fiber crashes is taken up again, and parked at the third time", async () => {
  let crashes = 0
  let most = 1
  const w = await world({
    around: (model) => ({
      call: (request, onText) =>
        crashes < most ? Effect.die(new Error(`bug ${++crashes}`)) : model.call(request, onText),
    }),
  })
  w.emulator.script(say("Recovered."))
  expect((await w.ask("defect", "hello")).answer.text).toBe("Recovered.")
  crashes = 0
  most = Infinity
  expect((await w.ask("defect", "and now?")).answer.text).toMatch(/interrupted again and again/)
  expect(crashes).toBe(3)
  expect(await w.sql("select scope from budget where reserved <> 0")).toEqual([])
  await end(w)
})

it("a turn that began unseen by the takeover goes on under the new fence (P9)", async () => {
  const w = await world()
  w.emulator.script(say("lost", { delayMs: 300 }), say("Kept."))
  const { event, thread } = await w.say("unseen", "hello")
  await w.asked(1)
  await w.sql("update turn set fence = fence - 1 where event = $1", [event])
  expect(said(await w.watch(thread, (e) => answers(e, event)))).toEqual(["Kept."])
  await end(w)
})

it("words that come in another order than they stand are answered in theirs (P2)", async () => {
  // Nothing is published here but what the test hands over.
  const w = await world({ wants: (name) => name.startsWith("agent:") })
  w.emulator.respond((_, n) => say(`Answer ${n + 1}.`))
  const said = await w.accept([1, 2, 3].map((n) => w.inbound("order", `word ${n}`)))
  const hand = (n: number) =>
    w.run(
      Effect.gen(function* () {
        const rooms = yield* Rooms
        const relay = yield* Relay
        yield* relay.repair([{ event: (yield* rooms.message(said[n - 1]!.event!))!, n: 1 }])
      }),
    )
  for (const n of [3, 2, 1]) await hand(n)
  const rows = await w.eventually("all to be answered", async () => {
    const all = await w.sql<{ to: string }>(
      "select body->>'replyTo' as to from event where kind = 'message' and body->'author'->>'kind' = 'agent' order by pos",
    )
    return all.length === 3 && all
  })
  expect(rows.map((r) => r.to)).toEqual(said.map((s) => s.event))
  await end(w)
})
