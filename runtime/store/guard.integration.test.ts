/** P11 for the database: the runtime outlives any death of Postgres, and every query settles with its own answer. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import type { Sql } from "postgres"
import { afterAll, beforeAll, expect, it } from "vitest"
import { startPostgres, testDirectory, type TestServer } from "../../infra/testing/index.ts"
import { correct, postgres } from "./guard.ts"

let server: TestServer
const uncaught: Array<unknown> = []
const note = (error: unknown) => void uncaught.push(error)

beforeAll(async () => {
  server = await startPostgres(testDirectory())
  process.on("uncaughtException", note)
  process.on("unhandledRejection", note)
})
afterAll(async () => {
  process.off("uncaughtException", note)
  process.off("unhandledRejection", note)
  await server.stop()
})

const connect = (max: number) =>
  postgres(server.url, { max, backoff: () => 0.02, connect_timeout: 5, onnotice: () => {} })

/** Loops of one kind of work, until told to stop; `now` counts what they did. */
const under = (lanes: number, work: (n: number) => Promise<unknown>) => {
  const state = { now: 0, stop: false, next: 0 }
  const lane = async () => {
    while (!state.stop) {
      await work((state.next += 1)).then(
        () => (state.now += 1),
        () => new Promise(setImmediate),
      )
    }
  }
  const lanesDone = Promise.all(Array.from({ length: lanes }, lane))
  return { state, end: () => ((state.stop = true), lanesDone) }
}

it("fits the installed version, and refuses any other", () => {
  const at = dirname(createRequire(import.meta.url).resolve("postgres"))
  for (const file of ["connection.js", "index.js"] as const) {
    const source = readFileSync(join(at, file), "utf8")
    expect(correct(file, source)).not.toBe(source)
    expect(() => correct(file, `${source}${source}`)).toThrow("Install postgres 3.4.9")
    expect(() => correct(file, "something else")).toThrow("Install postgres 3.4.9")
  }
})

it("outlives a Postgres that is killed under load again and again, and mixes up no answer", async () => {
  const clients: ReadonlyArray<Sql> = [connect(10), connect(1), connect(4)]
  const [pool, warm, transactions] = clients as [Sql, Sql, Sql]
  await pool`create table pair (n int, half int)`
  const wrong: Array<unknown> = []
  const ask = (sql: Sql) => async (n: number) => {
    const [row] = await sql`select ${n}::int as n, ${"x".repeat(n % 3 === 0 ? 2000 : 1)} as words`
    if (row?.["n"] !== n) wrong.push({ asked: n, got: row })
  }
  const both = (n: number) =>
    transactions.begin(async (sql) => {
      await sql`insert into pair values (${n}, 1)`
      await sql`insert into pair values (${n}, 2)`
    })
  const work = [under(40, ask(pool)), under(30, ask(warm)), under(8, both)]
  for (let kills = 0; kills < 15; kills++) {
    const targets = work.map(({ state }) => state.now + 20)
    await expect
      .poll(() => work.every(({ state }, at) => state.now >= (targets[at] ?? 0)), {
        timeout: 10_000,
        interval: 3,
      })
      .toBe(true)
    if (kills % 3 === 2) {
      const killer = connect(1)
      await killer`select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()`.catch(
        () => {},
      )
      await killer.end()
    } else {
      await server.kill()
      await server.restart()
    }
  }
  await Promise.all(work.map(({ end }) => end()))
  expect(wrong).toEqual([])
  expect(await pool`select n from pair group by n having count(*) <> 2`).toEqual([])
  await Promise.all(clients.map((client) => client.end({ timeout: 2 })))
  expect(uncaught).toEqual([])
}, 90_000)

it("ends a transaction whose connection died, and runs none of its later statements", async () => {
  const sql = connect(1)
  const other = connect(1)
  await sql`create table kept (word text)`
  const failed = sql.begin(async (inside) => {
    const [me] = await inside`select pg_backend_pid() as pid`
    await other`select pg_terminate_backend(${me?.["pid"] as number})`
    await inside`select 1`.catch(() => {})
    await sql`insert into kept values ('after')`
    await inside`insert into kept values ('inside')`
  })
  await expect(failed).rejects.toThrow()
  await expect.poll(() => sql`select word from kept`).toEqual([{ word: "after" }])
  await Promise.all([sql.end(), other.end()])
  expect(uncaught).toEqual([])
})

it("refuses work on a reserved connection that died, and keeps the pool whole", async () => {
  const sql = connect(1)
  const other = connect(1)
  const reserved = await sql.reserve()
  const [me] = await reserved`select pg_backend_pid() as pid`
  await other`select pg_terminate_backend(${me?.["pid"] as number})`
  await expect
    .poll(() =>
      reserved`select 1`.then(
        () => "alive",
        () => "gone",
      ),
    )
    .toBe("gone")
  reserved.release()
  await expect.poll(() => sql`select 2 as two`.catch(() => [])).toEqual([{ two: 2 }])
  await Promise.all([sql.end(), other.end()])
  expect(uncaught).toEqual([])
})
