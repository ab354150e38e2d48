import * as Effect from "effect/Effect"
import { afterAll, beforeAll, expect, it } from "vitest"
import { world, type World } from "../../infra/testing/World.ts"
import { Bus, Company, Roster, Subject, type AgentId } from "../../runtime/index.ts"

let w: World
beforeAll(async () => {
  w = await world({ agents: ["ada"], outside: ["eve"] })
})
afterAll(() => w.dispose())

const durables = (of: World) => of.run(Effect.flatMap(Bus, (bus) => bus.durables))
const durable = (name: string) => Subject.durableName(w.agents[name]!, w.door)
const eventually = (of: World, ...names: ReadonlyArray<string>) =>
  expect.poll(async () => (await durables(of)).toSorted(), { timeout: 10_000 }).toEqual(names.toSorted())

it("an outside agent has a consumer, and nothing runs for it here", async () => {
  await eventually(w, durable("ada"), durable("eve"))
  const said = await w.say("quiet", "@eve hello")
  await w.ask("quiet", "@ada hello")
  expect(await w.row("select state from decision where event = $1", [said.event])).toEqual({ state: "due" })
  expect(await w.sql("select 1 from lease where name = $1", [`agent:${w.agents["eve"]}`])).toEqual([])
  // Told again only after a minute, its program may be at work: one sweep takes the older and leaves the younger.
  const younger = await w.say("quiet", "@eve and hello")
  await w.sql(
    `update decision set due_at = now() - case when event = $1 then interval '2 minutes' else interval '20 seconds' end
     where event in ($1, $2)`,
    [said.event, younger.event],
  )
  const repairs = "select repairs from decision where event = $1"
  await w.eventually("a repair", async () => {
    const row = await w.row<{ repairs: number }>(repairs, [said.event])
    return row?.repairs === 1
  })
  expect(await w.row(repairs, [younger.event])).toEqual({ repairs: 0 })
})

it("a consumer goes with its agent, also when nobody was there to see it leave", async () => {
  const stranger = Subject.durableName("gone" as AgentId, w.door)
  const since = new Date().toISOString()
  const filter = Subject.wordsOf(w.ws, w.door)
  await w.run(Effect.flatMap(Bus, (bus) => bus.keep({ durable: stranger, filter, since })))
  const without = {
    agents: [
      {
        name: "ada",
        title: "Engineer",
        model: null,
        soul: "",
        interests: [],
        integrations: ["room"],
        settings: {},
      },
    ],
    integrations: [{ name: "room", type: "web", settings: {} }],
  }
  await w.run(
    Effect.andThen(
      Company.apply(w.ws, without),
      Effect.flatMap(Roster, (r) => r.reload),
    ),
  )
  await eventually(w, durable("ada"))
})
