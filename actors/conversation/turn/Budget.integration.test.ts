import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import { say, useTool } from "../../../infra/emulators/anthropic/index.ts"
import { answers, world, type World } from "../../../infra/testing/World.ts"
import type { Event } from "../../../runtime/index.ts"
import { ok, toolOf } from "../testing.ts"

const echo = toolOf("echo", () => Effect.succeed(ok("echoed")))
const budgets = (w: World) =>
  w.sql<{ scope: string; spent: number; reserved: number }>(
    "select scope, spent::int as spent, reserved::int as reserved from budget order by scope, key",
  )
const micros = 1_000_000

it("what is spent is the sum of what the calls cost, and nothing stays reserved (P10)", async () => {
  const w = await world({ tools: [echo] })
  w.emulator.script(useTool("echo", {}), useTool("echo", {}), say("Done."))
  const { event, thread, answer } = await w.ask("sums", "do it")
  const [step] = await w.sql<{ cost: number; calls: number }>(
    "select sum(s.cost)::int as cost, count(*) filter (where kind = 'model')::int as calls from step s join turn t on t.id = s.turn where t.event = $1",
    [event],
  )
  expect(step!.calls).toBe(3)
  expect(step!.cost).toBeGreaterThan(0)
  expect(await budgets(w)).toEqual([
    { scope: "agent", spent: step!.cost, reserved: 0 },
    { scope: "root", spent: step!.cost, reserved: 0 },
    { scope: "workspace", spent: step!.cost, reserved: 0 },
  ])
  const end = (await w.watch(thread, (e) => e.kind === "turn" && e.state === "finished", answer.pos)).at(-1)
  expect(end).toMatchObject({ cost: step!.cost / micros, tools: 2 })
  await w.dispose()
})

it("a turn that reaches its limit rests, says so once per root, and goes on when more is granted (P8, P10)", async () => {
  const w = await world({ agents: ["ada", "bo"], tools: [echo], budgets: { perRoot: 0.06 } })
  // Says that it used all it was allowed to.
  w.emulator.respond((request) => {
    const all = { output_tokens: request.max_tokens }
    const first = request.messages.length === 1
    return first ? useTool("echo", {}, { usage: all }) : say("more", { usage: all })
  })
  const { answer, event, thread } = await w.ask("middle", "@ada do it")
  expect(answer.text).toMatch(/^I stopped here: the budget is used up .* Spend \$1\.00 more\?/)
  const [root] = (await budgets(w)).filter((b) => b.scope === "root")
  expect(root!.reserved).toBe(0)
  expect(root!.spent).toBeLessThanOrEqual(0.06 * micros)
  const events = await w.watch(thread, (e) => e.kind === "turn" && e.state === "waiting", answer.pos)
  expect(events.at(-1)).toMatchObject({ reason: "money" })
  expect(await w.sql("select state from turn where event = $1", [event])).toEqual([{ state: "waiting" }])
  w.emulator.respond(() => say("Done after all."))
  const more = await w.say("middle", "spend $1 more")
  const rest = await w.watch(thread, (e) => answers(e, event) && e.pos > more.pos, more.pos)
  expect(rest.at(-1)).toMatchObject({ text: "Done after all." })
  expect((await budgets(w)).every((b) => b.reserved === 0)).toBe(true)
  await w.dispose()
})

it("agents who are called on a root without money tell the room once together (P10)", async () => {
  const w = await world({ agents: ["ada", "bo", "cy", "di"], budgets: { perRoot: 0.05 } })
  w.emulator.respond((request) =>
    say("@bo @cy @di, please help.", { usage: { output_tokens: request.max_tokens } }),
  )
  const { answer, thread } = await w.ask("silent", "@ada do it")
  let waiting = 0
  const last = (e: Event) => e.kind === "turn" && e.state === "waiting" && ++waiting === 3
  const events = await w.watch(thread, last, answer.pos)
  const notices = events.flatMap((e) => (e.kind === "message" ? [e.text] : []))
  expect(notices).toEqual([expect.stringContaining("the budget is used up")])
  await w.dispose()
})

it("rooms at work at the same time do not spend more than the day allows (P10)", async () => {
  const perAgentPerDay = 0.2
  const w = await world({ budgets: { perAgentPerDay } })
  w.emulator.respond((request) =>
    say("All of it.", { usage: { output_tokens: request.max_tokens }, delayMs: 20 }),
  )
  const said = await w.accept(Array.from({ length: 12 }, (_, n) => w.inbound(`room ${n}`, "go")))
  const ends = await Promise.all(said.map((s) => w.watch(s.thread as never, (e) => answers(e, s.event!))))
  const texts = ends.map((events) => events.at(-1)!).map((e) => (e.kind === "message" ? e.text : ""))
  expect(texts.filter((t) => t.includes("budget is used up")).length).toBeGreaterThan(0)
  const rows = await w.eventually("all to end", async () => {
    const all = await budgets(w)
    return all.every((b) => b.reserved === 0) && all
  })
  const day = rows.find((b) => b.scope === "agent")!
  expect(day.spent).toBeLessThanOrEqual(perAgentPerDay * micros)
  expect(rows.filter((b) => b.scope === "root").reduce((sum, b) => sum + b.spent, 0)).toBe(day.spent)
  await w.dispose()
})

it("a model that costs more than it was allowed to overshoots by one call at most (P10)", async () => {
  const w = await world({ tools: [echo], budgets: { perRoot: 0.1 } })
  const cost = { output_tokens: 6000 }
  w.emulator.respond(() => useTool("echo", {}, { usage: cost }))
  const { answer } = await w.ask("overshoot", "for ever")
  expect(answer.text).toContain("the budget is used up")
  const [root] = (await budgets(w)).filter((b) => b.scope === "root")
  const last = await w.row<{ cost: number }>("select max(cost)::int as cost from step")
  expect(root!.spent).toBeGreaterThan(0.1 * micros)
  expect(root!.spent - last!.cost).toBeLessThanOrEqual(0.1 * micros)
  expect(root!.reserved).toBe(0)
  await w.dispose()
})
