import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Sql } from "../Sql.ts"
import { layerTest } from "../testing.ts"
import { accept } from "./Accept.ts"
import { advance } from "./Advance.ts"
import { begin, type BeginRow } from "./Begin.ts"
import { published, said } from "./Deliver.ts"
import { finish } from "./Finish.ts"
import { join } from "./Steer.ts"
import { finishing, joining, starting, word } from "./testRows.ts"

const runtime = ManagedRuntime.make(layerTest)
let sql: Sql["Service"]
const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runPromise(effect)
const rows = (text: string, params: ReadonlyArray<unknown> = []) => run(sql.cold(text, params))

beforeAll(async () => {
  sql = await runtime.runPromise(Sql)
  await rows(
    "insert into lease (name, process, fence) values ('agent:ada', 'p', 3), ('agent:bo', 'p', 1), ('door:d', 'p', 2)",
  )
  await rows("insert into member (agent, door) values ('ada', 'd'), ('bo', 'd')")
})
afterAll(() => runtime.dispose())

describe("the log of a thread (P2)", () => {
  it("gives rows that are told at once their places in order, and each what it was told", async () => {
    const word1 = await run(accept(sql)(word("log", { slots: ["ada", "bo"] })))
    const lane = begin(sql)
    const [ada, bo] = await Promise.all([
      run(lane(starting(word1.id!, word1.thread!))),
      run(lane(starting(word1.id!, word1.thread!, { slot: "bo", agent: "bo", fence: 1 }))),
    ])
    expect([ada.status, bo.status]).toEqual(["began", "began"])
    const events = [...ada.events, ...bo.events]
    expect(events.map((e) => [e.pos, e.prev])).toEqual([2, 3, 4, 5].map((pos) => [pos, pos - 1]))
    expect(
      await rows("select id, pos, prev from event where thread = $1 and pos > 1 order by pos", [
        word1.thread,
      ]),
    ).toEqual(events.map(({ id, pos, prev }) => ({ id, pos, prev })))
  })

  it("ties words to the words before them, whatever stands between", async () => {
    const { id, thread } = await run(accept(sql)(word("words")))
    const row = starting(id!, thread!)
    await run(begin(sql)(row))
    const said = ["message", "turn", "message"].map((kind, i) => ({ id: `${row.turn}.${i}`, kind, body: {} }))
    const { events } = await run(finish(sql)(finishing(row.turn, thread!, { events: said })))
    expect(events.map((e) => [e.pos, e.prev])).toEqual([
      [4, 1],
      [5, 4],
      [6, 4],
    ])
    expect(
      await rows("select pos, prev from event where thread = $1 and pos > 3 order by pos", [thread]),
    ).toEqual(events.map(({ pos, prev }) => ({ pos, prev })))
    expect(await rows("select head, said from thread where id = $1", [thread])).toEqual([
      { head: 6, said: 6 },
    ])
  })
})

describe("S1 accept", () => {
  it("gives positions in order within one batch and tells the previous message (P2)", async () => {
    const lane = accept(sql)
    const got = await Promise.all([1, 2, 3].map(() => run(lane(word("c1")))))
    expect(got.map((g) => [g.pos, g.prev, g.duplicate])).toEqual([
      [1, 0, false],
      [2, 1, false],
      [3, 2, false],
    ])
    expect(new Set(got.map((g) => g.thread)).size).toBe(1)
  })

  it("stores a delivery once, whatever comes again, also inside one batch (P1)", async () => {
    const lane = accept(sql)
    const one = word("c2")
    const twin = { ...one, message: { ...one.message!, id: "twin" } }
    const [a, b] = await Promise.all([run(lane(one)), run(lane(twin))])
    const c = await run(lane(one))
    const sameWords = await run(lane({ ...one, external_id: "another delivery" }))
    expect([a.duplicate, b.duplicate, c.duplicate, sameWords.duplicate]).toEqual([false, true, true, true])
    expect([b.id, c.id, sameWords.id]).toEqual([a.id, a.id, a.id])
    expect(await rows("select pos from event where thread = $1", [a.thread])).toHaveLength(1)
    expect(await rows("select head from thread where id = $1", [a.thread])).toEqual([{ head: 1 }])
  })

  it("stores a delivery that says nothing, and does not call it a duplicate", async () => {
    const lane = accept(sql)
    const got = await run(
      lane({ ws: "w", door: "d", external_id: "silent", raw: { poll: 1 }, message: null }),
    )
    expect(got).toMatchObject({ duplicate: false, id: null })
    expect(await rows("select raw from inbox where external_id = 'silent'")).toEqual([{ raw: { poll: 1 } }])
  })

  it("writes one due decision per slot (P4)", async () => {
    const got = await run(accept(sql)(word("c3", { slots: ["ada", "bo"] })))
    expect(await rows("select slot, state from decision where event = $1 order by slot", [got.id])).toEqual([
      { slot: "ada", state: "due" },
      { slot: "bo", state: "due" },
    ])
  })

  it("an edit in the same batch asks nobody who is asked by the words it edits (P1, P4)", async () => {
    const lane = accept(sql)
    const first = word("c5", { slots: ["ada"] })
    const edit = word("c5", { slots: ["ada", "bo"], edits: first.message!.key })
    const [, b] = await Promise.all([run(lane(first)), run(lane(edit))])
    expect(await rows("select slot from decision where event = $1", [b.id])).toEqual([{ slot: "bo" }])
  })

  it("a bad row in a batch is refused alone", async () => {
    const lane = accept(sql)
    const bad = word("c4", { body: { text: "\u0000" } })
    const results = await Promise.allSettled([word("c4"), bad, word("c4")].map((w) => run(lane(w))))
    expect(results.map((r) => r.status)).toEqual(["fulfilled", "rejected", "fulfilled"])
  })
})

describe("S2 begin", () => {
  it("the first writer takes the slot, the second is told it is lost (P5)", async () => {
    const e = await run(accept(sql)(word("b1", { slots: ["*"] })))
    const lane = begin(sql)
    const first = await run(lane(starting(e.id!, e.thread!, { slot: "*" })))
    const second = await run(lane(starting(e.id!, e.thread!, { slot: "*", agent: "bo", fence: 1 })))
    expect([first.status, second.status]).toEqual(["began", "lost"])
    expect(first.events.map((x) => [x.pos, x.prev])).toEqual([
      [2, 1],
      [3, 2],
    ])
    expect(await rows("select count(*)::int as n from turn where event = $1", [e.id])).toEqual([{ n: 1 }])
  })

  it("a process with an old fence begins nothing (P9)", async () => {
    const e = await run(accept(sql)(word("b2")))
    const got = await run(begin(sql)(starting(e.id!, e.thread!, { fence: 2 })))
    expect(got.status).toBe("fenced")
    expect(await rows("select state from decision where event = $1", [e.id])).toEqual([{ state: "due" }])
  })

  it("says began again for a turn whose answer was lost", async () => {
    const e = await run(accept(sql)(word("b3")))
    const row = starting(e.id!, e.thread!)
    await run(begin(sql)(row))
    const again = await run(begin(sql)(row))
    expect(again).toMatchObject({ status: "began", granted: 100 })
  })

  it("one agent has one turn in a thread", async () => {
    const lane = accept(sql)
    const [e1, e2] = await Promise.all([run(lane(word("b4"))), run(lane(word("b4")))])
    await run(begin(sql)(starting(e1.id!, e1.thread!)))
    expect((await run(begin(sql)(starting(e2.id!, e2.thread!)))).status).toBe("busy")
  })

  it("reserves in all scopes or in none, and grants what is left (P10)", async () => {
    const lane = accept(sql)
    const es = await Promise.all(["b5", "b6", "b7"].map((c) => run(lane(word(c)))))
    const day = { scope: "agent" as const, key: "ada-b5", period: "2026-11-24", lim: 150 }
    const went = []
    for (const e of es) {
      const scopes = [{ scope: "root" as const, key: e.id!, period: "", lim: 1000 }, day]
      went.push((await run(begin(sql)(starting(e.id!, e.thread!, { scopes })))).granted)
    }
    expect(went).toEqual([100, 50, null])
    expect(await rows("select reserved, spent from budget where key = 'ada-b5'")).toEqual([
      { reserved: "150", spent: "0" },
    ])
    expect(await rows("select count(*)::int as n from budget where key = $1", [es[2]!.id])).toEqual([
      { n: 0 },
    ])
  })
})

describe("S4, S5, S6", () => {
  const working = async (channel: string, over: Partial<BeginRow> = {}) => {
    const e = await run(accept(sql)(word(channel)))
    const row = starting(e.id!, e.thread!, over)
    await run(begin(sql)(row))
    return { event: e.id!, thread: e.thread!, turn: row.turn, scopes: row.scopes }
  }

  it("a tool round is journalled before and after, with its money (P6, P10)", async () => {
    const w = await working("f1")
    const round = advance(sql)
    const base = {
      turn: w.turn,
      agent: "ada",
      thread: w.thread,
      door: "d",
      segment: 1,
      fence: 3,
      taken: 0,
      frozen: null,
    }
    const saved = await run(
      round({
        ...base,
        ended: [{ n: 1, state: "saved", cost: 30, usage: {} }],
        started: [{ n: 2, kind: "tool", call: "call_1", tool: "shell", input: "{}" }],
        wanted: null,
        least: 0,
        scopes: [],
        release: [{ scopes: w.scopes, reserved: 100, spent: 30 }],
        rows: [{ n: 2, role: "assistant", content: "[]", heard: 1 }],
        events: [{ id: `x${w.turn}`, kind: "tool", body: {} }],
      }),
    )
    expect(saved).toMatchObject({ written: true, granted: null })
    const next = await run(
      round({
        ...base,
        ended: [{ n: 2, state: "saved", cost: 0, usage: null }],
        started: [{ n: 3, kind: "model", call: null, tool: null, input: null }],
        wanted: 100,
        least: 10,
        scopes: w.scopes,
        release: [],
        rows: [{ n: 3, role: "user", content: "[]", heard: 1 }],
        events: [],
      }),
    )
    expect(next).toMatchObject({ written: true, granted: 100 })
    expect(
      await rows("select n, kind, state, reserved::int, cost::int from step where turn = $1 order by n", [
        w.turn,
      ]),
    ).toEqual([
      { n: 1, kind: "model", state: "saved", reserved: 100, cost: 30 },
      { n: 2, kind: "tool", state: "saved", reserved: 0, cost: 0 },
      { n: 3, kind: "model", state: "started", reserved: 100, cost: 0 },
    ])
    expect(await rows("select reserved::int, spent::int from budget where key = $1", [w.event])).toEqual([
      { reserved: 100, spent: 30 },
    ])
  })

  it("ends in one commit: turn, words, due decisions and outbox (P7)", async () => {
    const w = await working("f2", { signature: "ada" })
    const words = { id: `words of ${w.turn}`, kind: "message", body: { text: "done" } }
    const row = finishing(w.turn, w.thread, {
      events: [words],
      due: [{ event: words.id, slot: "bo" }],
      event: w.event,
      signature: "ada",
      text: "done",
    })
    const got = await run(finish(sql)(row))
    expect(got).toMatchObject({ status: "done", parcel: { channel: "f2", platformId: null } })
    expect(await rows("select state, cost::int from turn where id = $1", [w.turn])).toEqual([
      { state: "finished", cost: 40 },
    ])
    expect(await rows("select part, state, text, fence::int from outbox where turn = $1", [w.turn])).toEqual([
      { part: 0, state: "creating", text: "done", fence: 2 },
    ])
    expect(await rows("select slot from decision where event = $1", [row.events[0]!.id])).toEqual([
      { slot: "bo" },
    ])
    expect((await run(finish(sql)(row))).status).toBe("gone")
  })

  it("does not end while words that joined were not taken (P5)", async () => {
    const w = await working("f3")
    const more = await run(accept(sql)(word("f3")))
    const joined = await run(join(sql)(joining(more.id!, w.thread, w.turn)))
    expect(joined.joined).toBe(true)
    expect((await run(finish(sql)(finishing(w.turn, w.thread)))).status).toBe("joined")
    expect((await run(finish(sql)(finishing(w.turn, w.thread, { taken: 1 })))).status).toBe("done")
    const late = await run(join(sql)(joining(more.id!, w.thread, w.turn)))
    expect(late.joined).toBe(false)
  })

  it("a fenced or stopped turn writes nothing (P9)", async () => {
    const w = await working("f4")
    expect((await run(finish(sql)(finishing(w.turn, w.thread, { fence: 2 })))).status).toBe("gone")
    await rows("update turn set stop = true where id = $1", [w.turn])
    expect((await run(finish(sql)(finishing(w.turn, w.thread)))).status).toBe("gone")
    expect((await run(finish(sql)(finishing(w.turn, w.thread, { state: "stopped" })))).status).toBe("done")
  })
})

describe("S3 and S7", () => {
  it("a new owner of the door writes rows that its takeover has missed, and then the old one does not (P9)", async () => {
    await rows(
      `insert into outbox (turn, part, door, thread, agent, channel, state, fence)
       values ('stale', 0, 'd', 't', 'ada', 'c', 'creating', 2)`,
    )
    const put = said(sql)
    const row = { turn: "stale", part: 0, platform_id: "77" }
    expect((await run(put({ ...row, fence: 1 }))).written).toBe(false)
    expect((await run(put({ ...row, fence: 3 }))).written).toBe(true)
    expect((await run(put({ ...row, fence: 2, platform_id: "78" }))).written).toBe(false)
    expect(await rows("select platform_id, fence::int from outbox where turn = 'stale'")).toEqual([
      { platform_id: "77", fence: 3 },
    ])
  })
})

describe("the relay's cursor", () => {
  it("only rises, and what is written after it waits for the disk again", async () => {
    const [first] = await Promise.all([run(accept(sql)(word("cursor"))), run(accept(sql)(word("cursor")))])
    const move = (pos: number) => run(published(sql)({ thread: first.thread!, pos }))
    await move(2)
    await move(1)
    const at = await rows("select published from thread where id = $1", [first.thread])
    expect(at).toEqual([{ published: 2 }])
    expect(await run(sql.hot("select current_setting('synchronous_commit') as it", []))).toEqual([
      { it: "on" },
    ])
  })
})
