import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { describe, expect, it } from "vitest"
import { Bus, BusError, type Publication } from "../bus/Bus.ts"
import { Leases } from "../lease/Leases.ts"
import { Sql } from "../store/Sql.ts"
import { layerTest } from "../store/testing.ts"
import type { Event } from "./Event.ts"
import type { ProcessId, WorkspaceId } from "./Id.ts"
import { Relay } from "./Relay.ts"
import { Roster } from "./Roster.ts"

const ws = "w" as WorkspaceId

/** A bus that fails when it is told to, and a lease that is held when it is told to. */
const stage = () => {
  const published: Array<Publication> = []
  const told: Array<string> = []
  const listeners = new Map<string, (subject: string, payload: string) => void>()
  let waiting: Array<() => void> = []
  const state = { down: false, holds: true, attempts: 0 }
  const bus = Layer.succeed(Bus, {
    publish: (batch: ReadonlyArray<Publication>) =>
      Effect.suspend(() => {
        state.attempts++
        if (state.down) return Effect.fail(new BusError({ message: "down", cause: null }))
        published.push(...batch)
        for (const wake of waiting) wake()
        return Effect.void
      }),
    tell: (subject: string, payload: string) => void told.push(`${subject} ${payload}`),
    listen: (subject: string, onMessage: (subject: string, payload: string) => void) =>
      Effect.sync(() => void listeners.set(subject, onMessage)),
    hear: () => Effect.void,
    keep: () => Effect.void,
    serve: () => Effect.void,
    durables: Effect.succeed([]),
    inspect: Effect.die("not asked here"),
    newest: () => Effect.succeed(null),
    leave: () => Effect.void,
    state: Effect.succeed({ connected: true, server: "" }),
  })
  const leases = Layer.succeed(Leases, {
    process: "p" as ProcessId,
    hold: ((_: string, body: (held: { name: string; fence: number }) => Effect.Effect<unknown>) =>
      Effect.asVoid(Effect.forkScoped(body({ name: "relay:w", fence: 1 })))) as never,
    holds: () => state.holds,
    fence: () => 1,
  })
  const roster = Layer.succeed(Roster, {
    ws,
    now: () => ({ agents: new Map(), doors: new Map() }),
    reload: Effect.void,
    onChange: () => () => {},
  })
  const runtime = ManagedRuntime.make(
    Relay.layer.pipe(Layer.provideMerge(Layer.mergeAll(layerTest, bus, leases, roster))),
  )
  const until = (n: number) =>
    published.length >= n
      ? Promise.resolve()
      : new Promise<void>((resolve) => {
          waiting = [...waiting, () => published.length >= n && resolve()]
        })
  const sql = (text: string) => runtime.runPromise(Effect.flatMap(Sql, (s) => s.cold(text, [])))
  const positions = (thread: string) =>
    published
      .filter((p) => p.subject.includes(`.${thread}.`))
      .map((p) => (JSON.parse(p.payload) as { pos: number }).pos)
  return { runtime, published, told, listeners, state, until, sql, positions }
}

const event = (thread: string, pos: number, kind: "message" | "turn" = "message") =>
  ({
    id: `${thread}-${pos}`,
    thread,
    door: "d",
    pos,
    prev: pos - 1,
    at: "",
    kind,
    text: "",
  }) as unknown as Event

describe("the relay (P3)", () => {
  it("publishes each thread in position order, however the events come to it", async () => {
    const s = stage()
    const relay = await s.runtime.runPromise(Relay)
    await s.sql("insert into thread (id, ws, door, channel, title, head) values ('t', 'w', 'd', 't', '', 4)")
    await s.sql(
      "insert into event (thread, pos, prev, id, kind, body) select 't', n, n - 1, 't-' || n, 'message', jsonb_build_object('text', '') from generate_series(1, 4) n",
    )
    relay.offer([event("t", 3), event("t", 4)])
    relay.offer([event("u", 1), event("u", 2, "turn"), event("u", 3)])
    await s.until(7)
    expect(s.positions("t")).toEqual([1, 2, 3, 4])
    expect(s.positions("u")).toEqual([1, 2, 3])
    await s.runtime.dispose()
  })

  it("sends words with all that came with them, and gathers what nobody waits for", async () => {
    const s = stage()
    const relay = await s.runtime.runPromise(Relay)
    relay.offer([event("t", 1, "turn"), event("t", 2), event("t", 3, "turn")])
    await s.until(3)
    expect(s.state.attempts).toBe(1)
    relay.offer([event("t", 4, "turn")])
    relay.offer([event("t", 5, "turn")])
    await s.until(5)
    expect(s.state.attempts).toBe(2)
    await s.runtime.dispose()
  })

  it("loses nothing while the bus is away: order and ids stay, the cursor moves after the ack", async () => {
    const s = stage()
    const relay = await s.runtime.runPromise(Relay)
    await s.sql("insert into thread (id, ws, door, channel, title, head) values ('t', 'w', 'd', 't', '', 2)")
    s.state.down = true
    relay.offer([event("t", 1)])
    relay.offer([event("t", 2)])
    await s.runtime.runPromise(Effect.repeat(Effect.sleep("5 millis"), { while: () => s.state.attempts < 3 }))
    expect(await s.sql("select published from thread")).toEqual([{ published: 0 }])
    s.state.down = false
    await s.until(2)
    expect(s.published.map((p) => p.id)).toEqual(["t-1", "t-2"])
    await s.runtime.runPromise(
      Effect.flatMap(Sql, (sql) => sql.cold<{ published: number }>("select published from thread", [])).pipe(
        Effect.repeat({ while: ([row]) => row!.published < 2 }),
      ),
    )
    await s.runtime.dispose()
  })

  it("publishes what another process wrote when it is nudged, and what was left from before at its start", async () => {
    const s = stage()
    await s.runtime.runPromise(Relay)
    await s.sql("insert into thread (id, ws, door, channel, title, head) values ('t', 'w', 'd', 't', '', 3)")
    await s.sql(
      "insert into event (thread, pos, prev, id, kind, body) select 't', n, n - 1, 't-' || n, 'turn', '{}' from generate_series(1, 3) n",
    )
    s.listeners.get("troupe.w.control.relay")!("", "")
    await s.until(3)
    expect(s.positions("t")).toEqual([1, 2, 3])
    await s.runtime.dispose()
  })

  it("a process that is not the relay only nudges it", async () => {
    const s = stage()
    const relay = await s.runtime.runPromise(Relay)
    s.state.holds = false
    relay.offer([event("t", 1)])
    expect(s.told).toEqual(['troupe.w.control.relay {"threads":["t"]}'])
    expect(s.published).toEqual([])
    await s.runtime.dispose()
  })

  it("a relay that lost its lease in the middle stops, and rests", async () => {
    const s = stage()
    const relay = await s.runtime.runPromise(Relay)
    s.state.down = true
    relay.offer([event("t", 1)])
    await s.runtime.runPromise(Effect.repeat(Effect.sleep("5 millis"), { while: () => s.state.attempts < 2 }))
    s.state.holds = false
    s.state.down = false
    await s.runtime.runPromise(Effect.sleep("1200 millis"))
    const attempts = s.state.attempts
    await s.runtime.runPromise(Effect.sleep("200 millis"))
    expect(s.state.attempts).toBe(attempts)
    await s.runtime.dispose()
  })

  it("a repair goes out under an id that the server has not seen, and says which time it is", async () => {
    const s = stage()
    const relay = await s.runtime.runPromise(Relay)
    await s.runtime.runPromise(relay.repair([{ event: event("t", 1), n: 2 }]))
    expect(s.published[0]!.id).toBe("t-1#2")
    expect(JSON.parse(s.published[0]!.payload)).toMatchObject({ id: "t-1", repair: 2 })
    await s.runtime.dispose()
  })

  it("long text travels cut and says so", async () => {
    const s = stage()
    const relay = await s.runtime.runPromise(Relay)
    relay.offer([{ ...event("t", 1), text: "x".repeat(70_000) } as Event])
    await s.until(1)
    expect(JSON.parse(s.published[0]!.payload)).toMatchObject({
      truncated: true,
      text: "x".repeat(64 * 1024),
    })
    await s.runtime.dispose()
  })
})
