import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { BusMemory } from "../bus/BusMemory.ts"
import { Leases } from "../lease/Leases.ts"
import { Redaction } from "../secrets/Redaction.ts"
import { Sql } from "../store/Sql.ts"
import { layerTest } from "../store/testing.ts"
import type { InboundMessage } from "../door/Inbound.ts"
import type { DoorId, EventId, ProcessId, ThreadId, WorkspaceId } from "./Id.ts"
import { Journal } from "./Journal.ts"
import { Relay } from "./Relay.ts"
import { Rooms } from "./Rooms.ts"
import { Roster } from "./Roster.ts"

const ws = "w" as WorkspaceId
const door = "d" as DoorId
const leases = Layer.succeed(Leases, {
  process: "p" as ProcessId,
  hold: () => Effect.void,
  holds: () => true,
  fence: () => 1,
})
const company = Layer.effectDiscard(
  Effect.flatMap(Sql, (sql) =>
    sql.cold(
      `with a as (insert into agent (id, ws, name, title, soul) values ('a1', 'w', 'ada', '', ''), ('a2', 'w', 'bo', '', '')),
        d as (insert into door (id, ws, name, type, settings) values ('d', 'w', 'chat', 'telegram', '{}'))
       insert into member (agent, door) values ('a1', 'd'), ('a2', 'd')`,
      [],
    ),
  ),
)
const layer = Rooms.layer.pipe(
  Layer.provideMerge(Journal.layer),
  Layer.provideMerge(Relay.layer),
  Layer.provideMerge(Roster.layer(ws)),
  Layer.provideMerge(company),
  Layer.provideMerge(Layer.mergeAll(layerTest, BusMemory.layer, Redaction.layer, leases)),
)
const runtime = ManagedRuntime.make(layer)
const run = runtime.runPromise
afterAll(() => runtime.dispose())
beforeAll(() => run(Effect.void))

let serial = 0
const inbound = (text: string, over: Partial<InboundMessage> = {}) => {
  const n = ++serial
  return {
    door,
    externalId: `${n}`,
    raw: { n },
    message: {
      channel: "room",
      title: "Room",
      sourceKey: `tg:${n}:0`,
      author: { door, id: "7", name: "Eva", kind: "person" as const },
      text,
      attachments: [],
      mentions: [],
      direct: false,
      ...over,
    },
  }
}
const accept = (...batch: ReadonlyArray<ReturnType<typeof inbound>>) =>
  run(Effect.flatMap(Journal, (j) => j.accept(batch)))
const message = (id: EventId | null) => run(Effect.flatMap(Rooms, (r) => r.message(id!)))

describe("accepting words", () => {
  it("tells the log and the bus the same (P2, P3)", async () => {
    const [one] = await accept(inbound("hello", { channel: "same" }))
    const stored = await message(one!.event)
    const bus = await run(BusMemory)
    await run(
      Effect.flatMap(Rooms, (rooms) => rooms.events(one!.thread as ThreadId, 0, 10)).pipe(
        Effect.repeat({ while: () => !bus.published.some((p) => p.id === one!.event) }),
      ),
    )
    const published = bus.published.find((p) => p.id === one!.event)!
    expect(JSON.parse(published.payload)).toEqual(stored)
    expect(published.subject).toBe(`troupe.w.thread.d.${one!.thread}.message`)
  })

  it("keeps the number of a delivery that can never be stored, and takes those around it", async () => {
    const bad = inbound("\u0000")
    const got = await accept(inbound("before"), bad, inbound("after"))
    expect(got.map((g) => g.event === null)).toEqual([false, true, false])
    expect((await accept(bad))[0]!.duplicate).toBe(true)
  })

  it("takes known secrets out of what it writes", async () => {
    await run(Effect.map(Redaction, ({ add }) => add("hunter2-hunter2")))
    const [one] = await accept(inbound("my password is hunter2-hunter2"))
    expect((await message(one!.event))?.text).toBe("my password is [redacted]")
  })

  it("a reply to a person's words names them, a reply to an agent's words addresses that agent", async () => {
    const [first] = await accept(inbound("first", { channel: "replies", sourceKey: "tg:900:0" }))
    const [reply] = await accept(
      inbound("yes", { channel: "replies", replyTo: { platformId: "900", sourceKey: "tg:900:0" } }),
    )
    expect(await message(reply!.event)).toMatchObject({ replyTo: first!.event, slots: [] })
    await run(
      Effect.flatMap(Sql, (sql) =>
        sql.cold(
          `with t as (insert into turn (id, ws, event, slot, agent, thread, door, fence, principal, root, hop, segment, state)
             values ('u1', 'w', $1, 'a2', 'a2', $2, 'd', 1, 'd:7', $1, 0, 1, 'finished'))
           insert into outbox (turn, part, door, thread, agent, channel, state, platform_id, fence)
             values ('u1', 0, 'd', $2, 'a2', 'replies', 'done', '901', 1)`,
          [first!.event, first!.thread],
        ),
      ),
    )
    const [toBo] = await accept(
      inbound("and you?", { channel: "replies", replyTo: { platformId: "901", sourceKey: "tg:901:0" } }),
    )
    expect(await message(toBo!.event)).toMatchObject({ slots: ["a2"] })
    expect(
      await run(
        Effect.flatMap(Sql, (sql) =>
          sql.cold("select slot, state from decision where event = $1", [toBo!.event]),
        ),
      ),
    ).toEqual([{ slot: "a2", state: "due" }])
  })

  it("an edit names what it edits and asks only those it newly addresses (P1)", async () => {
    const say = { channel: "edits", sourceKey: "tg:950:0" }
    const [first] = await accept(inbound("@ada look", { ...say, mentions: ["a1" as never] }))
    const [edit] = await accept(
      inbound("@ada @bo look", {
        ...say,
        sourceKey: "tg:950:17",
        edits: "tg:950:0",
        mentions: ["a1" as never, "a2" as never],
      }),
    )
    expect(await message(edit!.event)).toMatchObject({ edits: first!.event, slots: ["a2"] })
  })
})

describe("rooms", () => {
  it("follows a room from a cursor without gap or duplicate", async () => {
    const [one] = await accept(inbound("1", { channel: "follow" }))
    const seen = run(
      Effect.flatMap(Rooms, (rooms) =>
        rooms.follow(one!.thread as ThreadId, 0).pipe(
          Stream.map((e) => e.pos),
          Stream.take(6),
          Stream.runCollect,
        ),
      ),
    )
    await accept(inbound("2", { channel: "follow" }), inbound("3", { channel: "follow" }))
    for (const text of ["4", "5", "6"]) await accept(inbound(text, { channel: "follow" }))
    expect(await seen).toEqual([1, 2, 3, 4, 5, 6])
  })

  it("a moved channel keeps its room", async () => {
    const [one] = await accept(inbound("here", { channel: "-100/5" }))
    await run(Effect.flatMap(Rooms, (r) => r.moved(door, "-100", "-200")))
    const [two] = await accept(inbound("there", { channel: "-200/5" }))
    expect(two!.thread).toBe(one!.thread)
  })

  it("says why an agent was silent, whatever the reason (P4)", async () => {
    const [one] = await accept(inbound("nobody in particular", { channel: "why" }))
    const why = await run(Effect.flatMap(Rooms, (r) => r.why(one!.event!, "a1" as never)))
    expect(why).toMatchObject({ verdict: "pass", reason: "nobody was asked" })
  })
})

it("words that are passed on name nobody and order nothing, whatever they say", async () => {
  const rows = await accept(
    inbound("> @ada and @bo", { channel: "passed", passedOn: true }),
    inbound("stop", { channel: "passed", passedOn: true }),
    inbound("@ada look", { channel: "passed" }),
  )
  const said = await Promise.all(rows.map(({ event }) => message(event)))
  expect(said.map((m) => [m?.mentions, m?.slots, m?.order])).toEqual([
    [[], [], undefined],
    [[], [], undefined],
    [["a1"], ["a1"], undefined],
  ])
})
