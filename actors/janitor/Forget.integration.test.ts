import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { world, type World } from "../../infra/testing/World.ts"
import { forgetQuietRooms } from "./Forget.ts"

let w: World
beforeAll(async () => {
  w = await world()
})
afterAll(() => w.dispose())

const age = (thread: string, days: number) =>
  w.sql("update thread set last_at = now() - make_interval(days => $2) where id = $1", [thread, days])
const published = (thread: string) =>
  w.eventually("everything to be published", () =>
    w.row<{ id: string }>("select id from thread where id = $1 and head = published", [thread]),
  )
const tables = ["thread", "event", "decision", "turn", "transcript", "segment", "outbox"]
const rowsOf = async (thread: string) =>
  Object.fromEntries(
    await Promise.all(
      tables.map(async (table) => {
        const column = table === "thread" ? "id" : "thread"
        const row = await w.row<{ n: number }>(
          `select count(*)::int as n from ${table} where ${column} = $1`,
          [thread],
        )
        return [table, row!.n] as const
      }),
    ),
  )

describe("rooms that were quiet for long", () => {
  it("go whole, others stay, and words there begin a new room", { timeout: 60_000 }, async () => {
    const quiet = await w.ask("quiet", "hello")
    const lively = await w.ask("lively", "hello")
    for (const { thread } of [quiet, lively]) {
      await published(thread)
    }
    await age(quiet.thread, 91)
    await age(lively.thread, 89)
    const before = await rowsOf(lively.thread)
    const spent = await w.row("select sum(spent) as spent from budget")
    expect(await w.run(forgetQuietRooms(null))).toBe(0)
    expect(await w.run(forgetQuietRooms(90))).toBe(1)
    expect(await rowsOf(quiet.thread)).toEqual(Object.fromEntries(tables.map((table) => [table, 0])))
    expect(await w.sql("select 1 from step where turn not in (select id from turn)")).toEqual([])
    expect(await rowsOf(lively.thread)).toEqual(before)
    expect(await w.row("select sum(spent) as spent from budget")).toEqual(spent)
    const again = await w.ask("quiet", "hello again")
    expect(again.thread).not.toBe(quiet.thread)
    expect(again.pos).toBe(1)
  })

  it("stay while something in them waits", async () => {
    const { thread } = await w.ask("waiting", "hello")
    await published(thread)
    await age(thread, 400)
    await w.sql("update turn set state = 'waiting' where thread = $1", [thread])
    expect(await w.run(forgetQuietRooms(90))).toBe(0)
    await w.sql("update turn set state = 'finished' where thread = $1", [thread])
    await w.sql(
      `insert into outbox (turn, part, door, thread, agent, channel, state, fence)
       select id, 0, door, thread, agent, 'c', 'created', 1 from turn where thread = $1`,
      [thread],
    )
    expect(await w.run(forgetQuietRooms(90))).toBe(0)
    await w.sql("update outbox set state = 'done' where thread = $1", [thread])
    expect(await w.run(forgetQuietRooms(90))).toBe(1)
  })
})
