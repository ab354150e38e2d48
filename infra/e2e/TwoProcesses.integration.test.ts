/**
 * Two real processes share the work of one company on one Postgres and NATS (P9). Under load one is killed, then one is paused and
 * goes on: nothing is lost, nothing is said twice, and what it owned has moved within ten seconds.
 */
import { setTimeout } from "node:timers/promises"
import { afterAll, beforeAll, expect, it } from "vitest"
import { postgres } from "../../runtime/store/guard.ts"
import { answerAll, clean } from "./Questions.ts"
import { Random } from "./Random.ts"
import { stage, type Stage } from "./Stage.ts"

const seed = Number(process.env["TROUPE_E2E_SEED"] ?? Math.floor(Math.random() * 1e9))
let s: Stage
beforeAll(async () => {
  s = await stage({
    bots: ["ada", "bo"].map((name, i) => ({ token: `${i + 1}000:emulated`, username: `${name}_bot` })),
    agents: ["ada", "bo"].map((name) => ({ name, integrations: [`${name}-bot`] })),
  })
})
afterAll(() => s.dispose())

it(`one of two processes is killed, then one is paused, under load (seed ${seed})`, async () => {
  const random = new Random(seed)
  s.ai.respond((request) => answerAll(request, { delayMs: random.between(0, 60) }))
  const chats = Array.from({ length: 12 }, () => s.private().chat)
  const stopped = new AbortController()
  const load = async () => {
    while (!stopped.signal.aborted) {
      s.ask(random.of(chats))
      await setTimeout(random.between(10, 60))
    }
  }
  const other = s.process()
  await s.runtime.start()
  await other.start()
  const people = load()
  await setTimeout(1_000)

  const owners = async () => {
    const sql = postgres(s.database!, { max: 1, onnotice: () => {} })
    const rows = await sql<Array<{ pid: number | null; n: number }>>`
      select p.pid, count(*)::int as n from lease l left join process p on p.id = l.process group by p.pid`
    await sql.end()
    return new Map(rows.map((r) => [r.pid, r.n]))
  }
  /** Until the one of this pid owns nothing; milliseconds. */
  const moved = async (pid: number) => {
    const from = performance.now()
    while ((await owners()).has(pid)) {
      if (performance.now() - from > 20_000) throw s.runtime.failure("still owns something")
      await setTimeout(100)
    }
    return performance.now() - from
  }

  const first = s.runtime.pid
  await s.runtime.kill()
  const afterKill = await moved(first)
  await s.runtime.start()
  // The other holds everything now: it is the one to be paused.
  const paused = other.pid
  expect((await owners()).get(paused)).toBeGreaterThan(0)
  other.signal("SIGSTOP")
  const afterPause = await moved(paused)
  other.signal("SIGCONT")
  await setTimeout(1_500)
  stopped.abort()
  await people

  for (const chat of chats) await s.answered(chat, 40_000)
  console.log(
    `two processes: moved ${Math.round(afterKill)} ms after kill -9, ${Math.round(afterPause)} ms after a pause`,
  )
  // A heartbeat is two seconds old at most, a paused owner is given up after ten.
  expect(afterKill).toBeLessThan(10_000)
  expect(afterPause).toBeLessThan(15_000)
  for (const chat of chats) expect({ ...s.verdict(chat), strays: 0 }).toEqual(clean)
  expect(s.ai.refusals()).toEqual([])
}, 120_000)
