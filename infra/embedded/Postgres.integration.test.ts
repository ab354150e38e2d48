/** Real processes: the embedded Postgres and NATS on homes that nobody else may enter. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { spawn } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Sql } from "postgres"
import { afterAll, beforeAll, expect, it } from "vitest"
import { postgres } from "../../runtime/store/guard.ts"
import { testDirectory } from "../testing/index.ts"
import { openHome } from "./Home.ts"
import { startPostgres } from "./Postgres.ts"
import { processesIn } from "./Processes.ts"
import { reachable, serverUser } from "./ServerUser.ts"
import type { Status } from "./Supervisor.ts"

/** A home below a directory that only we may pass: as root, the server's own user may not. */
const closedHome = () => {
  const closed = join(testDirectory(), "closed")
  mkdirSync(closed, { mode: 0o700 })
  chmodSync(closed, 0o700)
  return join(closed, "home")
}

const start = async (path: string) => {
  const scope = Scope.makeUnsafe()
  const server = await Effect.runPromise(
    openHome(path).pipe(Effect.flatMap(startPostgres), Scope.provide(scope)),
  )
  const sql = postgres(Redacted.value(server.url), {
    max: 2,
    backoff: () => 0.02,
    connect_timeout: 5,
    onnotice: () => {},
  })
  return {
    ...server,
    sql,
    running: (): Extract<Status, { _tag: "Running" }> | undefined => {
      const now = SubscriptionRef.getUnsafe(server.status)
      return now._tag === "Running" ? now : undefined
    },
    stop: async () => {
      await sql.end({ timeout: 1 })
      await Effect.runPromise(Scope.close(scope, Exit.void))
    },
  }
}

const home = closedHome()
let server: Awaited<ReturnType<typeof start>>
let sql: Sql
beforeAll(async () => {
  server = await start(home)
  sql = server.sql
})
afterAll(() => server.stop())

it("is a real Postgres 18 that syncs, checks its pages and asks for a password", async () => {
  const names = ["fsync", "full_page_writes", "synchronous_commit", "data_checksums"]
  const settings = await sql`select name, setting from pg_settings where name in ${sql(names)}`
  expect(settings.map((row) => row["setting"])).toEqual(["on", "on", "on", "on"])
  expect(server.version).toMatch(/^18\./)
  const [locale] =
    await sql`select datlocprovider as provider, datlocale as locale from pg_database where datname = 'postgres'`
  expect(locale).toEqual({ provider: "b", locale: "C.UTF-8" })
  const wrong = postgres(`postgres://postgres:wrong@127.0.0.1:${server.port}/postgres`, { max: 1 })
  await expect(wrong`select 1`).rejects.toThrow("password authentication failed")
  await wrong.end()
})

it("keeps its data in the home, readable to nobody else, and never runs as root", () => {
  const pid = server.running()?.pid ?? 0
  expect(processesIn(join(home, "postgres/data"))).toContain(pid)
  expect(statSync(join(home, "postgres/data")).mode & 0o777).toBe(0o700)
  expect(statSync(join(home, "postgres.json")).mode & 0o777).toBe(0o600)
  expect(statSync(`/proc/${pid}`).uid).not.toBe(0)
})

it("comes back by itself with all that was committed, wherever it was killed", async () => {
  await sql`create table kept (n int primary key)`
  const committed: Array<number> = []
  const load = { stop: false }
  const write = async (lane: number) => {
    for (let n = lane; !load.stop; n += 2) {
      const done = await sql`insert into kept values (${n})`.then(
        () => true,
        () => false,
      )
      if (done) committed.push(n)
    }
  }
  const lanes = [write(0), write(1)]
  for (let round = 0; round < 4; round++) {
    const before = committed.length
    await expect.poll(() => committed.length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(before + 20)
    const dead = server.running()?.pid ?? 0
    // Once all of it at once, once only the postmaster: busy workers do not notice that it is gone.
    const victims = round % 2 === 0 ? processesIn(join(home, "postgres/data")) : [dead]
    for (const pid of victims) process.kill(pid, "SIGKILL")
    await expect.poll(() => server.running()?.pid ?? dead, { timeout: 20_000, interval: 5 }).not.toBe(dead)
  }
  load.stop = true
  await Promise.all(lanes)
  const rows = new Set((await sql`select n from kept`).map((row) => row["n"]))
  expect(committed.filter((n) => !rows.has(n))).toEqual([])
}, 90_000)

it("stops cleanly with its scope, and a stale pid file of another process does not keep it from starting", async () => {
  await sql`create table over_stop (word text)`
  await sql`insert into over_stop values ('kept')`
  const url = Redacted.value(server.url)
  await server.stop()
  const data = join(home, "postgres/data")
  expect(processesIn(data)).toEqual([])
  expect(existsSync(join(data, "postmaster.pid"))).toBe(false)
  // As after a container's restart: the number in the file is now that of a process that has nothing to do with it.
  const bystander = spawn("sleep", ["60"], { ...serverUser(), cwd: "/" })
  writeFileSync(join(data, "postmaster.pid"), `${bystander.pid}\n${data}\n`, { mode: 0o600 })
  if (serverUser() !== undefined) await chown(join(data, "postmaster.pid"))
  server = await start(home)
  sql = server.sql
  bystander.kill()
  expect(Redacted.value(server.url)).toBe(url)
  expect(await sql`select word from over_stop`).toEqual([{ word: "kept" }])
})

it("takes the place of what a killed Troupe left running", async () => {
  const path = closedHome()
  const holder = await troupe(path)
  const left = Number(readFileSync(join(path, "postgres/data/postmaster.pid"), "utf8").split("\n")[0])
  holder.kill("SIGKILL")
  await new Promise((resolve) => holder.once("exit", resolve))
  expect(processesIn(join(path, "postgres/data"))).toContain(left)
  const next = await start(path)
  expect(await next.sql`select word from before`).toEqual([{ word: "committed" }])
  expect(processesIn(join(path, "postgres/data"))).not.toContain(left)
  await next.stop()
})

it("refuses data of another major version with one sentence", async () => {
  const path = closedHome()
  mkdirSync(join(path, "postgres/data"), { recursive: true })
  writeFileSync(join(path, "postgres/data/PG_VERSION"), "17\n")
  const error = await Effect.runPromise(
    Effect.flip(Effect.scoped(openHome(path).pipe(Effect.flatMap(startPostgres)))),
  )
  expect(error.message).toContain("is of Postgres 17, this Troupe brings 18")
})

/** Another process that holds a home with a running Postgres; not root where the repository allows it. */
const troupe = async (path: string) => {
  const user = serverUser()
  const as = user !== undefined && reachable(import.meta.dirname, user) ? user : undefined
  const above = join(path, "..")
  if (as !== undefined) await chown(above)
  const here = (name: string) => new URL(name, import.meta.url).href
  const code = `
    import * as Effect from "${import.meta.resolve("effect/Effect")}"
    import * as Redacted from "${import.meta.resolve("effect/Redacted")}"
    import { openHome } from "${here("Home.ts")}"
    import { startPostgres } from "${here("Postgres.ts")}"
    import { postgres } from "${here("../../runtime/store/guard.ts")}"
    await Effect.runPromise(Effect.scoped(Effect.gen(function* () {
      const server = yield* startPostgres(yield* openHome(${JSON.stringify(path)}))
      const sql = postgres(Redacted.value(server.url))
      yield* Effect.promise(() => sql\`create table before as select 'committed' as word\`)
      console.log(process.getuid())
      yield* Effect.sleep("1 hour")
    })))`
  const parent = as === undefined ? above : join(above, "..")
  if (as !== undefined) chmodSync(parent, 0o755)
  const holder = spawn(process.execPath, ["--input-type=module", "-e", code], {
    ...as,
    cwd: "/",
    stdio: ["ignore", "pipe", "inherit"],
  })
  const uid = await new Promise((resolve) =>
    holder.stdout.once("data", (said: Buffer) => resolve(Number(said.toString()))),
  )
  expect(uid).toBe(as?.uid ?? process.getuid?.())
  return holder
}

const chown = async (path: string) => {
  const user = serverUser()
  if (user !== undefined) await import("node:fs/promises").then((fs) => fs.chown(path, user.uid, user.gid))
}
