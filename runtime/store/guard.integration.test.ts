/** P11 for the database: the runtime outlives any death of Postgres. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { expect, it } from "vitest"
import { startPostgres, testDirectory } from "../../infra/testing/index.ts"
import { correct, postgres } from "./guard.ts"

const installed = dirname(createRequire(import.meta.url).resolve("postgres"))

it("fits the installed version, and refuses any other", () => {
  const source = readFileSync(join(installed, "connection.js"), "utf8")
  expect(correct(source)).toContain("if (socket === null)")
  expect(() => correct(correct(source))).toThrow("Install postgres 3.4.9")
  expect(() => correct("something else")).toThrow("Install postgres 3.4.9")
})

it("keeps the process alive when Postgres is killed under load, again and again", async () => {
  const server = await startPostgres(testDirectory())
  const uncaught: Array<unknown> = []
  const note = (error: unknown) => uncaught.push(error)
  process.on("uncaughtException", note)
  const sql = postgres(server.url, { max: 10, backoff: () => 0.02, onnotice: () => {} })
  const load = { done: false }
  let written = 0
  const write = async () => {
    while (!load.done) {
      await sql`select ${"x".repeat(2000)} as words`.then(
        () => (written += 1),
        () => new Promise(setImmediate),
      )
    }
  }
  const writers = Array.from({ length: 40 }, write)
  for (let kills = 0; kills < 12; kills++) {
    const target = written + 500
    await expect.poll(() => written, { timeout: 10_000, interval: 5 }).toBeGreaterThan(target)
    await server.kill()
    await server.restart()
  }
  load.done = true
  await Promise.all(writers)
  expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
  process.off("uncaughtException", note)
  await sql.end()
  await server.stop()
  expect(uncaught).toEqual([])
})
