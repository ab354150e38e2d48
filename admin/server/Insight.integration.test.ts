import { afterAll, beforeAll, expect, it } from "vitest"
import * as Effect from "effect/Effect"
import { machineName } from "../../actors/sprite/index.ts"
import { Sandbox } from "../../integrations/sprites/index.ts"
import { ok, toolOf } from "../../actors/conversation/testing.ts"
import { say, useTool } from "../../infra/emulators/anthropic/index.ts"
import { type Office, office } from "../testing/Office.ts"

let here: Office
let asked: Awaited<ReturnType<Office["ask"]>>
beforeAll(async () => {
  here = await office({
    agents: ["ada", "bo"],
    tools: [toolOf("echo", (input) => Effect.succeed(ok(String((input as { text: string }).text))))],
  })
  here.emulator.script(useTool("echo", { text: "a green parrot" }), say("The parrot is **green**."))
  asked = await here.ask("Parrots", "@ada what colour is the parrot?")
})
afterAll(() => here.dispose())

it("tells what was spent, on whom, and what is left", async () => {
  const money = await here.api("GET /api/money")
  expect(money.today).toBeGreaterThan(0)
  expect(money.days).toHaveLength(30)
  expect(money.days.at(-1)).toMatchObject({ dollars: money.today, turns: 1 })
  for (const [part, name] of [
    [money.agents, "ada"],
    [money.models, "claude-sonnet-5-5"],
    [money.rooms, "Parrots"],
    [money.doors, "room"],
  ] as const)
    expect(part).toMatchObject([{ name, dollars: money.today, turns: 1 }])
  expect(money.budgets.find((b) => b.scope === "agent")).toMatchObject({
    name: "ada",
    limit: 20,
    spent: money.today,
  })
  expect(money.reply.median).toBe(money.today)
  expect(money.forecast).toBeGreaterThanOrEqual(money.month)
})

it("shows the bus: durables by whose they are, subjects by their rooms, the newest message", async () => {
  const bus = await here.api("GET /api/bus")
  expect(bus.connected).toBe(true)
  expect(bus.durables.map((d) => d.who)).toEqual(["@ada in room", "@bo in room"])
  const words = bus.subjects.find((s) => s.subject.endsWith(".message"))!
  expect(words).toMatchObject({ room: "Parrots", count: 2 })
  const newest = await here.api("GET /api/bus/newest", { query: { subject: words.subject } })
  expect(JSON.parse(newest.payload)).toMatchObject({ kind: "message", text: "The parrot is **green**." })
})

it("shows the actors that live, and the agents with what they did", async () => {
  const { actors, handled } = await here.api("GET /api/actors")
  expect(handled).toBeGreaterThan(0)
  expect(actors.map((a) => a.path).join(" ")).toContain(here.agents["ada"]!)
  const { agents } = await here.api("GET /api/agents/details")
  expect(agents.find((a) => a.name === "ada")).toMatchObject({
    turns: 1,
    failed: 0,
    origin: "file",
    doing: [],
  })
  const { decisions } = await here.api("GET /api/agents/:id/decisions", {
    params: { id: here.agents["ada"]! },
  })
  expect(decisions).toMatchObject([{ verdict: "lead", title: "Parrots" }])
})

it("finds words anywhere, and all that follows from one message", async () => {
  const { found } = await here.api("GET /api/search", { query: { q: "green parrot" } })
  expect(found.map((f) => f.author)).toContain("ada")
  expect((await here.api("GET /api/search", { query: { q: "100% _nothing_" } })).found).toEqual([])
  const { causes } = await here.api("GET /api/cause/:message", { params: { message: asked.event } })
  expect(causes.map((c) => [c.kind, c.who])).toEqual([
    ["message", "Eva"],
    ["turn", "ada"],
    ["tool", "ada"],
    ["message", "ada"],
  ])
  const turn = causes[1]!
  expect([turn.parent, causes[2]!.parent, causes[3]!.parent]).toEqual([asked.event, turn.id, turn.id])
  const tool = asked.events.find((e) => e.kind === "tool")!
  expect(
    await here.api("GET /api/turns/:turn/calls/:call", { params: { turn: tool.turn, call: tool.call } }),
  ).toEqual({
    input: expect.stringContaining("a green parrot") as string,
    output: "a green parrot",
  })
})

it("an agent made on the page hears at once, stays when troupe.yaml is applied, and leaves when it is let go", async () => {
  const draft = {
    name: "cy",
    title: "Writer",
    model: null,
    soul: "You write about parrots.",
    interests: ["prose"],
    integrations: ["room"],
    steering: null,
    permissions: { echo: "ask" as const },
  }
  const preview = await here.api("POST /api/agents/preview", { body: draft })
  expect(preview.system.join("\n")).toContain("You are @cy, Writer.\n\nYou write about parrots.")
  expect(preview.tools).toMatchObject([{ name: "echo", permission: "ask" }])
  const { id } = await here.api("POST /api/agents", { body: draft })
  expect(await here.api("POST /api/agents", { body: draft })).toMatchObject({ status: 409 })
  await here.eventually("cy is heard of", async () =>
    (await here.api("GET /api/agents")).agents.some((a) => a.name === "cy"),
  )
  expect(
    await here.api("PUT /api/agents/:id", { params: { id }, body: { ...draft, title: "Poet" } }),
  ).toEqual({ changed: true })
  // What the file declares, the page does not change.
  const refused = await here.api("PUT /api/agents/:id", { params: { id: here.agents["ada"]! }, body: draft })
  expect(refused).toMatchObject({ status: 409, error: expect.stringContaining("troupe.yaml") as string })
  await here.reapply()
  const { agents } = await here.api("GET /api/agents/details")
  expect(agents.find((a) => a.name === "cy")).toMatchObject({
    title: "Poet",
    origin: "page",
    integrations: ["room"],
  })
  expect(await here.api("DELETE /api/agents/:id", { params: { id } })).toEqual({ removed: true })
  expect((await here.api("GET /api/agents")).agents.map((a) => a.name)).toEqual(["ada", "bo"])
})

it("a secret is set and never told again, not even by the audit log", async () => {
  const value = "correct-horse-battery-9f3a"
  expect(
    await here.api("PUT /api/secrets/:name", { params: { name: "SEARCH_KEY" }, body: { value } }),
  ).toEqual({
    lastFour: "…9f3a",
  })
  const { secrets } = await here.api("GET /api/secrets")
  expect(secrets).toMatchObject([{ ownerName: "the company", name: "SEARCH_KEY", lastFour: "…9f3a" }])
  for (const route of ["GET /api/secrets", "GET /api/audit", "GET /api/integrations"] as const)
    expect(JSON.stringify(await here.api(route))).not.toContain("correct-horse")
  expect(JSON.stringify(await here.sql("select * from secret"))).not.toContain("correct-horse")
  expect(await here.api("DELETE /api/secrets/:name", { params: { name: "SEARCH_KEY" } })).toEqual({
    removed: true,
  })
})

it("shows the computers of this workspace, their files and kept states, and no others", async () => {
  const machine = machineName(here.ws, here.agents["ada"]!)
  await here.run(
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      yield* sandbox.open(machine)
      yield* sandbox.open("somebody-elses")
    }),
  )
  expect((await here.api("GET /api/sandboxes")).sandboxes).toEqual([{ machine, agent: "ada", sessions: [] }])
  const at = { params: { machine } }
  const files = await here.api("GET /api/sandboxes/:machine/files", {
    ...at,
    query: { path: "/home/sprite" },
  })
  expect(files.entries).toEqual([{ name: "notes.md", type: "file", size: 8 }])
  const path = "/home/sprite/notes.md"
  expect(await here.api("GET /api/sandboxes/:machine/file", { ...at, query: { path } })).toEqual({
    text: "# Notes\n",
    cut: false,
  })
  await here.api("POST /api/sandboxes/:machine/checkpoints", { ...at, body: { comment: "before" } })
  const kept = await here.api("GET /api/sandboxes/:machine/checkpoints", at)
  expect(kept).toMatchObject({
    checkpoints: [{ id: "v1", comment: "before" }],
    network: [{ domain: "github.com" }],
  })
  const restore = { params: { machine, id: "v1" } }
  expect(await here.api("POST /api/sandboxes/:machine/checkpoints/:id/restore", restore)).toEqual({
    restored: true,
  })
  const other = { params: { machine: "somebody-elses" }, query: { path: "/" } }
  expect(await here.api("GET /api/sandboxes/:machine/files", other)).toMatchObject({ status: 404 })
})

it("shows the doors with what passes them", async () => {
  const { integrations } = await here.api("GET /api/integrations")
  expect(integrations).toMatchObject([{ name: "room", type: "web", rooms: 1, day: 1, agents: ["ada", "bo"] }])
})
