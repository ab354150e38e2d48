/**
 * The interleavings that were designed away, each made real: one process is held in the middle of its statement by a transaction
 * that the test ends, while another goes on.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { testNats, testWorkspace } from "../../../infra/testing/index.ts"
import { Bus, type Delivery } from "../../bus/Bus.ts"
import { layer as layerNats } from "../../bus/BusNats.ts"
import { eventSubject } from "../../bus/Subject.ts"
import { Leases } from "../../lease/Leases.ts"
import type { Event } from "../../room/Event.ts"
import type { ProcessId, WorkspaceId } from "../../room/Id.ts"
import { Relay } from "../../room/Relay.ts"
import { Roster } from "../../room/Roster.ts"
import { Sql } from "../Sql.ts"
import { accept, type AcceptedRow } from "./Accept.ts"
import { advance } from "./Advance.ts"
import { begin } from "./Begin.ts"
import { finish } from "./Finish.ts"
import { order, type OrderRow } from "./Order.ts"
import { rest } from "./Rest.ts"
import { join } from "./Steer.ts"
import { finishing, joining, starting, word } from "./testRows.ts"
import { run, testStore, type TestStore } from "./testStore.ts"
import { settleTriage, startTriage } from "./Triage.ts"

let s: TestStore
let a: Sql["Service"]
let b: Sql["Service"]
let c: Sql["Service"]
beforeAll(async () => {
  s = await testStore(3)
  ;[a, b, c] = s.processes as [typeof a, typeof b, typeof c]
  await s.rows(
    "insert into lease (name, process, fence) values ('agent:ada', 'a', 3), ('agent:bo', 'b', 1), ('agent:cy', 'c', 1), ('door:d', 'a', 2)",
  )
  await s.rows("insert into member (agent, door) values ('ada', 'd'), ('bo', 'd'), ('cy', 'd')")
})
afterAll(() => s.dispose())

const said = async (channel: string, over: Parameters<typeof word>[1] = {}) => {
  const { id, thread } = await run(accept(a)(word(channel, over)))
  return { event: id!, thread: thread! }
}
const working = async (channel: string, over: Parameters<typeof starting>[2] = {}) => {
  const { event, thread } = await said(channel)
  const row = starting(event, thread, over)
  await run(begin(a)(row))
  return { event, thread, turn: row.turn, scopes: row.scopes }
}
const takeOver = (sql: Sql["Service"]) =>
  run(sql.hot("update lease set process = 'b', fence = fence + 1 where name = 'agent:ada'", []))
const giveBack = () => s.rows("update lease set process = 'a', fence = 3 where name = 'agent:ada'")
const places = (of: ReadonlyArray<AcceptedRow>) => of.map((w) => [w.pos, w.prev])

/** A relay on a real bus, as one process has it, and what an agent hears there. */
const relaying = async (ws: WorkspaceId, sql: Sql["Service"]) => {
  const nats = testNats()
  const runtime = ManagedRuntime.make(
    Relay.layer.pipe(
      Layer.provideMerge(Roster.layer(ws)),
      Layer.provideMerge(
        Layer.mergeAll(
          Layer.succeed(Sql, sql),
          layerNats({ url: nats.url, user: nats.user, password: Redacted.make(nats.password) }, ws),
          Layer.succeed(Leases, {
            process: "p" as ProcessId,
            hold: ((_: string, body: (held: { name: string; fence: number }) => Effect.Effect<unknown>) =>
              Effect.asVoid(Effect.forkScoped(body({ name: "relay", fence: 1 })))) as never,
            holds: () => true,
            fence: () => 1,
          }),
        ),
      ),
    ),
  )
  return { relay: await runtime.runPromise(Relay), bus: await runtime.runPromise(Bus), runtime }
}
/** What comes to an agent of the room, in the order it comes. */
const hearing = async (
  { bus, runtime }: Awaited<ReturnType<typeof relaying>>,
  ws: string,
  thread: string,
) => {
  const heard: Array<Event & { readonly repair?: number }> = []
  const waiting = new Set<() => void>()
  const onMessage = ({ payload, ack }: Delivery) => {
    ack()
    heard.push(JSON.parse(payload) as Event)
    for (const look of waiting) look()
  }
  const filter = eventSubject(ws as WorkspaceId, "d" as never, thread as never, "message")
  const since = new Date(0).toISOString()
  runtime.runFork(
    Effect.scoped(
      Effect.andThen(bus.hear({ durable: `x_${thread}`, filter, since, onMessage }), Effect.never),
    ),
  )
  const reach = (n: number) =>
    new Promise<void>((resolve) => {
      const look = () => heard.length >= n && resolve()
      waiting.add(look)
      look()
    })
  return { heard, reach }
}
const toEvent = (row: AcceptedRow) =>
  ({
    ...row.body,
    id: row.id,
    kind: "message",
    door: "d",
    thread: row.thread,
    pos: row.pos,
    prev: row.prev,
    at: row.at,
  }) as unknown as Event

describe("one order and one relay (P2, P3)", () => {
  it("late committer: nobody has a later place before it has committed, and no reader sees a gap", async () => {
    const late = await s.held()
    const one = await run(accept(a)(word("late")))
    const two = await run(accept(late.sql)(word("late")))
    const others = [a, b, c].map((sql) => run(accept(sql)(word("late"))))
    await s.blocked(3)
    const log = () => s.rows("select pos, prev from event where thread = $1 order by pos", [one.thread])
    const head = () => s.rows("select head from thread where id = $1", [one.thread])
    expect(await log()).toEqual([{ pos: 1, prev: 0 }])
    expect(await head()).toEqual([{ head: 1 }])
    await late.commit()
    expect(places([one, two])).toEqual([
      [1, 0],
      [2, 1],
    ])
    expect(places(await Promise.all(others)).toSorted()).toEqual([
      [3, 2],
      [4, 3],
      [5, 4],
    ])
    expect(await log()).toHaveLength(5)
    expect(await head()).toEqual([{ head: 5 }])
  })

  it("late committer: what it took back leaves no gap", async () => {
    const late = await s.held()
    const one = await run(accept(a)(word("taken back")))
    await run(accept(late.sql)(word("taken back")))
    const next = run(accept(b)(word("taken back")))
    await s.blocked(1)
    await late.rollback()
    expect(places([one, await next])).toEqual([
      [1, 0],
      [2, 1],
    ])
  })

  it("the same words in two deliveries at once stand there once, and both are told where (P1)", async () => {
    const first = await s.held()
    const row = word("twice")
    const one = await run(accept(first.sql)(row))
    const others = [b, c].map((sql) => run(accept(sql)(word("twice", { key: row.message!.key }))))
    await s.blocked(2)
    await first.commit()
    for (const other of await Promise.all(others))
      expect(other).toMatchObject({ duplicate: true, id: one.id, pos: one.pos })
    expect(await s.rows("select head from thread where id = $1", [one.thread])).toEqual([{ head: 1 }])
  })

  it("relay order: what another process committed before is published before, whoever tells the relay first", async () => {
    const ws = testWorkspace() as WorkspaceId
    const late = await s.held()
    const first = await run(accept(late.sql)({ ...word("relay"), ws }))
    const second = run(accept(b)({ ...word("relay"), ws }))
    await s.blocked(1)
    await late.commit()
    const two = await second
    const r = await relaying(ws, c)
    const ear = await hearing(r, ws, two.thread!)
    r.relay.offer([toEvent(two)])
    await ear.reach(2)
    // The one that was held tells it at last.
    r.relay.offer([toEvent(first)])
    const three = await run(accept(a)({ ...word("relay"), ws }))
    r.relay.offer([toEvent(three)])
    await ear.reach(3)
    expect(ear.heard.map((e) => [e.id, e.pos])).toEqual([first, two, three].map((w) => [w.id, w.pos]))
    await r.runtime.dispose()
  })

  it("republish inside the duplicate window: the same id is heard once, a repair is heard again", async () => {
    const ws = testWorkspace() as WorkspaceId
    const one = await run(accept(a)({ ...word("window"), ws }))
    const before = await relaying(ws, a)
    const ear = await hearing(before, ws, one.thread!)
    await ear.reach(1)
    // Killed between the acknowledgement and the cursor: the next owner publishes the same again.
    const dead = await s.held()
    await run(dead.sql.hot("update thread set published = 0 where id = $1", [one.thread]))
    await dead.commit()
    const after = await relaying(ws, b)
    await run(after.relay.catchUp)
    await run(after.relay.repair([{ event: toEvent(one), n: 1 }]))
    await ear.reach(2)
    const two = await run(accept(a)({ ...word("window"), ws }))
    after.relay.offer([toEvent(two)])
    await ear.reach(3)
    expect(ear.heard.map((e) => [e.id, e.repair])).toEqual([
      [one.id, undefined],
      [one.id, 1],
      [two.id, undefined],
    ])
    await before.runtime.dispose()
    await after.runtime.dispose()
  })
})

describe("fence read versus fence written (P9)", () => {
  it("a turn that begins while its agent is taken over waits for it, and does not begin", async () => {
    const { event, thread } = await said("fence written")
    const taking = await s.held()
    await takeOver(taking.sql)
    const began = run(begin(a)(starting(event, thread)))
    await s.blocked(1)
    await taking.commit()
    expect((await began).status).toBe("fenced")
    expect(await s.rows("select state, turn from decision where event = $1", [event])).toEqual([
      { state: "due", turn: null },
    ])
    expect((await run(begin(b)(starting(event, thread, { fence: 4 })))).status).toBe("began")
    await giveBack()
  })

  it("a takeover waits for a turn that begins, and sees it: from then on its old owner writes nothing", async () => {
    const { event, thread } = await said("fence read")
    const beginning = await s.held()
    const row = starting(event, thread)
    expect((await run(begin(beginning.sql)(row))).status).toBe("began")
    const taken = takeOver(b)
    await s.blocked(1)
    await beginning.commit()
    await taken
    // What its statement could not see, the first statement of the new owner raises.
    expect(await s.rows("select fence::int from turn where id = $1 and fence < 4", [row.turn])).toHaveLength(
      1,
    )
    await run(b.hot("update turn set fence = 4 where id = $1", [row.turn]))
    expect((await run(finish(a)(finishing(row.turn, thread)))).status).toBe("gone")
    expect((await run(finish(b)(finishing(row.turn, thread, { fence: 4 })))).status).toBe("done")
    await giveBack()
  })
})

describe("lead with a stalled process (P5, P9)", () => {
  it("who stalls before its commit has not led yet: the next waits, and leads when the other's connection breaks", async () => {
    for (const [how, status] of [
      ["rollback", "began"],
      ["commit", "lost"],
    ] as const) {
      const { event, thread } = await said(`stalled ${how}`, { slots: ["*"] })
      const stalled = await s.held()
      await run(begin(stalled.sql)(starting(event, thread, { slot: "*" })))
      const next = run(begin(b)(starting(event, thread, { slot: "*", agent: "bo", fence: 1 })))
      await s.blocked(1)
      await stalled[how]()
      expect((await next).status).toBe(status)
      expect(await s.rows("select count(*)::int as n from turn where event = $1", [event])).toEqual([
        { n: 1 },
      ])
    }
  })

  it("who stalls after it needs no lease to lead on, until its agent is taken over; then it writes nothing", async () => {
    const w = await working("stalled lead")
    const other = await run(begin(b)(starting(w.event, w.thread, { slot: "*", agent: "bo", fence: 1 })))
    expect(other.status).toBe("lost")
    const taking = await s.held()
    await run(taking.sql.hot("update turn set fence = 4, attempts = attempts + 1 where id = $1", [w.turn]))
    const woken = run(finish(a)(finishing(w.turn, w.thread)))
    await s.blocked(1)
    await taking.commit()
    expect((await woken).events).toEqual([])
    const saved = {
      turn: w.turn,
      agent: "ada",
      thread: w.thread,
      door: "d",
      segment: 1,
      fence: 3,
      taken: 0,
      ended: [{ n: 1, state: "saved", cost: 1, usage: null }],
      started: [],
      wanted: null,
      least: 0,
      scopes: [],
      release: [],
      rows: [],
      frozen: null,
      events: [],
    } as const
    expect((await run(advance(a)(saved))).written).toBe(false)
    expect((await run(advance(b)({ ...saved, fence: 4 }))).written).toBe(true)
    // What has ended does not end again, whoever says so.
    await expect(run(advance(b)({ ...saved, fence: 4 }))).rejects.toMatchObject({ kind: "refused" })
    expect(await s.rows("select state from turn where id = $1", [w.turn])).toEqual([{ state: "running" }])
    expect((await run(finish(a)(finishing(w.turn, w.thread)))).status).toBe("gone")
  })
})

describe("end-of-turn race (P5)", () => {
  it("words that join while the turn ends: the end waits for them, and takes them first", async () => {
    const w = await working("join first")
    const more = await said("join first")
    const steering = await s.held()
    expect((await run(join(steering.sql)(joining(more.event, w.thread, w.turn)))).joined).toBe(true)
    const ended = run(finish(a)(finishing(w.turn, w.thread)))
    await s.blocked(1)
    await steering.commit()
    expect((await ended).status).toBe("joined")
    expect((await run(finish(a)(finishing(w.turn, w.thread, { taken: 1 })))).status).toBe("done")
  })

  it("a turn that ends while words join: they stay due, for a turn of their own", async () => {
    const w = await working("end first")
    const more = await said("end first")
    const ending = await s.held()
    expect((await run(finish(ending.sql)(finishing(w.turn, w.thread)))).status).toBe("done")
    const joined = run(join(b)(joining(more.event, w.thread, w.turn)))
    await s.blocked(1)
    await ending.commit()
    expect((await joined).joined).toBe(false)
    expect(await s.rows("select state from decision where event = $1", [more.event])).toEqual([
      { state: "due" },
    ])
    expect((await run(begin(a)(starting(more.event, w.thread, { rows: [] })))).status).toBe("began")
  })

  it("a stop in another process while the turn ends: the turn is told that it is over", async () => {
    const w = await working("stop first")
    const stopping = await s.held()
    await run(stopping.sql.hot("update turn set stop = true where id = $1", [w.turn]))
    const ended = run(finish(a)(finishing(w.turn, w.thread)))
    await s.blocked(1)
    await stopping.commit()
    expect((await ended).status).toBe("gone")
  })
})

describe("coalesced budget (P10)", () => {
  const scopesOf = (key: string, lim: number) => [
    { scope: "workspace" as const, key, period: "2026-11", lim },
  ]
  const budget = (key: string) => s.rows("select reserved::int, spent::int from budget where key = $1", [key])

  it("many turns in one statement reserve no more than the limit", async () => {
    const lane = accept(a)
    const es = await Promise.all([..."abcdefgh"].map((x) => run(lane(word(`many-${x}`)))))
    const scopes = scopesOf("many", 350)
    const starts = begin(a)
    const got = await Promise.all(es.map((e) => run(starts(starting(e.id!, e.thread!, { scopes })))))
    expect(got.reduce((sum, g) => sum + (g.granted ?? 0), 0)).toBe(350)
    expect(await budget("many")).toEqual([{ reserved: 350, spent: 0 }])
  })

  it("statements beside each other reserve no more than the limit, also where nobody has spent anything yet", async () => {
    for (const known of [true, false]) {
      const key = `beside-${known}`
      const scopes = scopesOf(key, 150)
      if (known)
        await s.rows(
          "insert into budget (scope, key, period, lim) values ('workspace', $1, '2026-11', 150)",
          [key],
        )
      const words = await Promise.all(["ada", "bo", "cy"].map((x) => said(`${key}-${x}`, { slots: [x] })))
      const rows = ["ada", "bo", "cy"].map((x, i) =>
        starting(words[i]!.event, words[i]!.thread, {
          slot: x,
          agent: x,
          fence: x === "ada" ? 3 : 1,
          scopes,
        }),
      )
      const first = await s.held()
      expect((await run(begin(first.sql)(rows[0]!))).granted).toBe(100)
      const others = [run(begin(b)(rows[1]!)), run(begin(c)(rows[2]!))]
      await s.blocked(2)
      await first.commit()
      const got = await Promise.all(others)
      expect(got.map((g) => g.status)).toEqual(["began", "began"])
      expect(new Set(got.map((g) => g.granted))).toEqual(new Set([50, null]))
      expect(await budget(key)).toEqual([{ reserved: 150, spent: 0 }])
    }
  })

  it("what is settled beside a reservation is counted once", async () => {
    const scopes = scopesOf("settled", 150)
    const w = await working("settled", { scopes })
    const other = await said("settled bo", { slots: ["bo"] })
    const ending = await s.held()
    const row = finishing(w.turn, w.thread, { release: [{ scopes, reserved: 100, spent: 40 }] })
    expect((await run(finish(ending.sql)(row))).status).toBe("done")
    const began = run(
      begin(b)(starting(other.event, other.thread, { slot: "bo", agent: "bo", fence: 1, scopes })),
    )
    await s.blocked(1)
    await ending.commit()
    expect((await began).granted).toBe(100)
    expect(await budget("settled")).toEqual([{ reserved: 100, spent: 40 }])
  })
})

describe("answers beside each other (P6)", () => {
  const ordered = async (channel: string, over: Partial<OrderRow>): Promise<OrderRow> => {
    const { event, thread } = await said(channel, { slots: ["!"] })
    const ids = [1, 2, 3].map((n) => `${event}.${n}`)
    return {
      ws: "w",
      event,
      thread,
      verb: "approve",
      targets: [],
      person: "d:7",
      turn: null,
      n: null,
      micros: 0,
      repairs: 1,
      ids,
      ...over,
    }
  }
  const asking = async (channel: string, calls: ReadonlyArray<number>) => {
    const w = await working(channel)
    await run(
      rest(a)({
        ws: "w",
        turn: w.turn,
        agent: "ada",
        thread: w.thread,
        door: "d",
        fence: 3,
        event: w.event,
        signature: null,
        part: 1002,
        text: "May I?",
        actions: null,
        events: [],
        above: "",
        reason: "approval",
        segment: 1,
        taken: 0,
        ended: [{ n: 1, state: "saved", cost: 10, usage: null }],
        pending: calls.map((n) => ({ n, call: `c${n}`, tool: "shell", input: "{}" })),
        approvals: calls.map((n) => ({ call: `c${n}`, tool: "shell", summary: "shell", hash: "x" })),
        release: [{ scopes: w.scopes, reserved: 100, spent: 10 }],
        rows: [],
      }),
    )
    return w
  }

  it("one question is answered once", async () => {
    const w = await asking("one question", [2])
    const yes = await s.held()
    expect((await run(order(yes.sql)(await ordered("one question", {})))).resumed).toHaveLength(1)
    const no = run(order(b)(await ordered("another room", { thread: w.thread, verb: "refuse" })))
    await s.blocked(1)
    await yes.commit()
    expect((await no).resumed).toEqual([])
    expect(await s.rows("select answer from approval where turn = $1", [w.turn])).toEqual([{ answer: "yes" }])
  })

  it("two questions of one turn: the last answer puts it to work", async () => {
    const w = await asking("two questions", [2, 3])
    const yes = await s.held()
    const row = await ordered("two questions", { turn: w.turn, n: 2 })
    const other = await ordered("two questions", { turn: w.turn, n: 3, verb: "refuse" })
    expect((await run(order(yes.sql)(row))).resumed).toEqual([])
    const no = run(order(b)(other))
    await s.blocked(1)
    await yes.commit()
    expect((await no).resumed).toHaveLength(1)
    expect(await s.rows("select state, reason from turn where id = $1", [w.turn])).toEqual([
      { state: "running", reason: "resumed" },
    ])
  })
})

describe("triage beside triage (P10)", () => {
  const trying = (event: string, agent: string, n: number) => ({
    event,
    agent,
    fence: agent === "ada" ? 3 : 1,
    n,
    wanted: 100,
    least: 10,
    scopes: [{ scope: "root" as const, key: event, period: "", lim: 1000 }],
  })
  const found = (event: string, thread: string, agent: string, n: number) => ({
    ws: "w",
    event,
    agent,
    thread,
    door: "d",
    n,
    cost: 30,
    usage: null,
    reason: "triage: ada",
    evidence: {},
    due: [{ event, slot: "ada" }],
    events: [],
  })

  it("a second try counts the first as spent, whichever of them finds somebody, and nothing stays reserved", async () => {
    for (const winner of ["ada", "bo"])
      for (const [n, again] of [
        [1, false],
        [2, false],
        [2, true],
      ] as const) {
        const { event, thread } = await said(`triage ${winner} ${n} ${again}`, { slots: ["?"] })
        const trial = await s.held()
        expect((await run(startTriage(trial.sql)(trying(event, "ada", 1)))).granted).toBe(100)
        const second = run(startTriage(b)(trying(event, "bo", n)))
        await s.blocked(1)
        await trial.commit()
        expect((await second).granted).toBe(100)
        // Told again because its acknowledgement was lost.
        if (again) expect((await run(startTriage(b)(trying(event, "bo", n)))).granted).toBe(100)
        const tries = { ada: 1, bo: n } as const
        const [first, last] = winner === "ada" ? (["ada", "bo"] as const) : (["bo", "ada"] as const)
        expect((await run(settleTriage(a)(found(event, thread, first, tries[first])))).written).toBe(true)
        expect((await run(settleTriage(b)(found(event, thread, last, tries[last])))).written).toBe(false)
        const [money] = await s.rows<{ reserved: number; spent: number }>(
          "select reserved::int, spent::int from budget where key = $1",
          [event],
        )
        expect(money).toEqual({ reserved: 0, spent: (winner === "bo" ? 130 : 200) + (again ? 100 : 0) })
      }
  })
})
