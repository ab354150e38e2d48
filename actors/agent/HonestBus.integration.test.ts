import * as Effect from "effect/Effect"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { say } from "../../infra/emulators/anthropic/index.ts"
import { startNats, testDirectory, testNats } from "../../infra/testing/index.ts"
import { answers, world, type World } from "../../infra/testing/World.ts"
import { Bus, Subject, type EventId, type ThreadId } from "../../runtime/index.ts"

const ownNats = async () => {
  const dir = join(testDirectory(), "nats")
  const server = await startNats(dir)
  return { dir, server, nats: { ...testNats(), url: server.url } }
}
const rooms = (w: World, count: number, name = "room") =>
  w.accept(Array.from({ length: count }, (_, n) => w.inbound(`${name} ${n}`, "hello")))
type Said = Awaited<ReturnType<typeof rooms>>

/** Each of the words has exactly one answer, and nothing else was said. */
const answeredOnce = async (w: World, said: Said) => {
  await Promise.all(said.map((s) => w.watch(s.thread as ThreadId, (e) => answers(e, s.event!))))
  const [row] = await w.sql<{ answers: number; turns: number }>(
    `select count(*) filter (where body->'author'->>'kind' = 'agent')::int as answers,
       (select count(*)::int from turn where event = any ($1)) as turns
     from event where kind = 'message' and thread = any ($2)`,
    [said.map((s) => s.event), said.map((s) => s.thread)],
  )
  expect(row).toEqual({ answers: said.length, turns: said.length })
}
const states = async (w: World, said: Said) => {
  const rows = await w.sql<{ state: string }>("select state from decision where event = any ($1)", [
    said.map((s) => s.event),
  ])
  return [...new Set(rows.map((r) => r.state))]
}
const older = (w: World, said: Said, seconds: number) =>
  w.eventually(`${seconds} s to pass`, () =>
    w.row("select 1 from decision where event = $1 and now() - due_at > make_interval(secs => $2)", [
      said[0]!.event as EventId,
      seconds,
    ]),
  )

describe("agents start work only from what the bus delivered", () => {
  it("without the bus words are accepted and nothing is decided; with it, all, once", async () => {
    const { server, nats } = await ownNats()
    const w = await world({ servers: { nats } })
    await answeredOnce(w, await rooms(w, 2, "before"))
    await server.kill()
    const during = await rooms(w, 5)
    await older(w, during, 1.5)
    expect(await states(w, during)).toEqual(["due"])
    expect(w.emulator.requests.length).toBe(2)
    await server.restart()
    await answeredOnce(w, during)
    await w.dispose()
    await server.stop()
  })

  it("a wiped volume loses nothing, whether the words were published before or not (P3)", async () => {
    const { dir, server, nats } = await ownNats()
    const door = await world({ servers: { nats }, wants: (name) => !name.startsWith("agent:") })
    const published = await rooms(door, 3, "published")
    await door.eventually("all to be published", () =>
      door.row("select 1 from thread having count(*) = 3 and sum(head - published) = 0"),
    )
    await server.kill()
    rmSync(join(dir, "store"), { recursive: true })
    const during = await rooms(door, 3, "during")
    await server.restart()
    expect(await states(door, [...published, ...during])).toEqual(["due"])
    const agents = await world({ beside: door, wants: (name) => name.startsWith("agent:") })
    await answeredOnce(door, [...published, ...during])
    await agents.dispose()
    await door.dispose()
    await server.stop()
  })

  it("a consumer that was deleted is made again, and nothing is answered twice", async () => {
    const w = await world()
    const before = await rooms(w, 3, "before")
    await answeredOnce(w, before)
    const durable = Subject.durableName(w.agents["ada"]!, w.door)
    await w.run(Effect.flatMap(Bus, (bus) => bus.leave(durable)))
    const after = await rooms(w, 3, "after")
    await answeredOnce(w, after)
    await answeredOnce(w, before)
    await w.dispose()
  })

  it("an agent that may not take its messages from the bus is silent", async () => {
    const { dir, server, nats } = await ownNats()
    const door = await world({
      servers: { nats },
      agents: ["ada", "bo"],
      wants: (name) => !name.startsWith("agent:"),
    })
    const durable = Subject.durableName(door.agents["bo"]!, door.door)
    const config = join(dir, "nats.conf")
    writeFileSync(
      config,
      readFileSync(config, "utf8").replace(
        "{ user: runtime,",
        `{ user: deaf, password: deaf, permissions: { publish: { deny: ["$JS.API.CONSUMER.MSG.NEXT.*.${durable}"] }, subscribe: ">" } }
      { user: runtime,`,
      ),
    )
    await server.kill()
    await server.restart()
    const agents = await world({
      beside: { ...door, nats: { url: nats.url, user: "deaf", password: "deaf" } },
      agents: ["ada", "bo"],
      wants: (name) => name.startsWith("agent:"),
    })
    const [toBo] = await door.accept([door.inbound("both", "@bo hello")])
    const { answer } = await door.ask("both", "@ada hello")
    expect(answer.author.id).toBe(door.agents["ada"])
    // bo is alive: it holds its lease. It has not heard, and the words wait for it.
    expect(
      await door.sql("select 1 from lease where name = $1 and process is not null", [
        `agent:${door.agents["bo"]}`,
      ]),
    ).toHaveLength(1)
    await older(door, [toBo!], 1.5)
    expect(await states(door, [toBo!])).toEqual(["due"])
    await agents.dispose()
    await door.dispose()
    await server.stop()
  })

  it("a door in one process and the agents in another work together", async () => {
    const door = await world({ agents: ["ada", "bo"], wants: (name) => !name.startsWith("agent:") })
    const agents = await world({
      beside: door,
      agents: ["ada", "bo"],
      wants: (name) => name.startsWith("agent:"),
    })
    door.emulator.script(say("@bo check it"), say("Checked."))
    const { answer } = await door.ask("apart", "@ada do it")
    const events = await door.watch(answer.thread, (e) => answers(e, answer.id), answer.pos)
    expect(events.at(-1)).toMatchObject({ text: "Checked.", hop: 2 })
    expect(door.emulator.refusals()).toEqual([])
    await agents.dispose()
    await door.dispose()
  })
})
