import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { BusMemory } from "../bus/BusMemory.ts"
import type { WorkspaceId } from "../room/Id.ts"
import { Roster } from "../room/Roster.ts"
import { Redaction } from "../secrets/Redaction.ts"
import { Secrets } from "../secrets/Secrets.ts"
import { Sql } from "../store/Sql.ts"
import { layerTest } from "../store/testing.ts"
import { apply, storedDoors, workspace, type CompanyConfig } from "./Company.ts"

const keys = { current: Redacted.make("ab".repeat(32)), former: [] }
const layer = Layer.mergeAll(
  layerTest,
  BusMemory.layer,
  Secrets.layer(keys).pipe(Layer.provideMerge(Redaction.layer)),
)
const runtime = ManagedRuntime.make(layer)
const run = runtime.runPromise
const rows = (text: string) => run(Effect.flatMap(Sql, (sql) => sql.cold(text, [])))

const agent = (name: string, integrations: ReadonlyArray<string>, soul = "s") => ({
  name,
  title: "T",
  model: null,
  soul,
  interests: ["bug"],
  integrations,
  settings: {},
})
const telegram = (token: string) => ({
  name: "chat",
  type: "telegram",
  settings: {
    token: Redacted.make(token),
    mode: "polling",
    triage: "interests",
    allow: { users: [7], chats: [] },
  },
})
const token = "123456789:AAE-this-is-a-telegram-bot-token-123"
const config: CompanyConfig = {
  agents: [agent("ada", ["chat", "web"]), agent("bo", ["chat"])],
  integrations: [telegram(token), { name: "web", type: "web", settings: {} }],
}

describe("applying a configuration", () => {
  let ws: WorkspaceId
  beforeAll(async () => {
    ws = await run(workspace)
    await run(apply(ws, config))
  })
  afterAll(() => runtime.dispose())

  it("finds the same workspace at the next start", async () => {
    expect(await run(workspace)).toBe(ws)
  })

  it("is idempotent: ids, memberships and sealed secrets stay", async () => {
    const look = () =>
      rows(`select (select jsonb_agg(to_jsonb(a) order by id) from agent a) as agents, (select jsonb_agg(to_jsonb(d) order by id) from door d) as doors,
        (select jsonb_agg(to_jsonb(m) order by agent, door) from member m) as members, (select jsonb_agg(to_jsonb(s)) from secret s) as secrets`)
    const before = await look()
    await run(apply(ws, config))
    expect(await look()).toEqual(before)
  })

  it("keeps secrets out of the settings, sealed at rest, and gives them back to the door alone", async () => {
    const [stored] = await rows(
      "select (select jsonb_agg(settings)::text from door) || (select jsonb_agg(sealed)::text from secret) as text",
    )
    expect(String(stored!["text"])).not.toContain(token)
    expect(await rows("select name, last_four from secret")).toEqual([{ name: "token", last_four: "…-123" }])
    const doors = await run(storedDoors(ws))
    expect(doors.find((d) => d.name === "chat")?.settings).toMatchObject({
      token,
      mode: "polling",
      triage: "interests",
    })
    expect(await run(Effect.map(Redaction, ({ redact }) => redact(`the token is ${token}`)))).toBe(
      "the token is [redacted]",
    )
  })

  it("changes what changed, and those no longer named leave; named again they are who they were", async () => {
    const [before] = await rows("select id from agent where name = 'bo'")
    await run(
      apply(ws, {
        agents: [agent("ada", ["web"], "another soul")],
        integrations: [{ name: "web", type: "web", settings: {} }],
      }),
    )
    const now = await run(
      Effect.provide(
        Effect.map(Roster, (r) => r.now()),
        Roster.layer(ws),
      ),
    )
    expect([...now.agents.values()].map((a) => [a.name, a.soul])).toEqual([["ada", "another soul"]])
    expect(
      [...now.doors.values()].map((d) => [d.name, d.platform, d.members.map((m) => m.agent.name)]),
    ).toEqual([["web", false, ["ada"]]])
    await run(apply(ws, config))
    expect(await rows("select id from agent where name = 'bo' and removed_at is null")).toEqual([before])
  })
})
