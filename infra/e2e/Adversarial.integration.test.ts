/**
 * Ten agents in many rooms, a thousand open and addressed messages, and the process killed (-9) at any moment: no slot is led
 * twice, every addressed slot is answered, and whatever is answered stands in one message (P4, P5, P8).
 * TROUPE_E2E_SEED makes the same run again.
 */
import { setTimeout } from "node:timers/promises"
import { afterAll, beforeAll, expect, it } from "vitest"
import { postgres } from "../../runtime/store/guard.ts"
import { answerAll, clean } from "./Questions.ts"
import { Random } from "./Random.ts"
import { stage, type Stage } from "./Stage.ts"

const seed = Number(process.env["TROUPE_E2E_SEED"] ?? Math.floor(Math.random() * 1e9))
const messages = 1_000
const kills = 7
const names = Array.from({ length: 10 }, (_, i) => `agent${i}`)

let s: Stage
beforeAll(async () => {
  s = await stage({
    agents: names.map((name) => ({ name, interests: ["go"] })),
    telegram: [{ triage: "interests" }],
  })
})
afterAll(() => s.dispose())

it(`ten agents, a thousand messages, ${kills} kills (seed ${seed})`, async () => {
  const random = new Random(seed)
  s.ai.respond((request) => answerAll(request, { delayMs: random.between(0, 30) }))
  const rooms = Array.from({ length: 25 }, (_, i) => s.group(`Ann ${i}`, `Ben ${i}`))
  let left = messages
  const askSome = (count: number) => {
    for (let i = 0; i < count && left > 0; i++, left--) {
      const { chat, people } = random.of(rooms)
      const addressed = random.next() < 0.3
      s.ask(chat, addressed ? `@${random.of(names)} ` : "go ", random.of(people))
    }
  }
  const allAnswered = async () => {
    for (const { chat } of rooms) await s.answered(chat, 60_000)
  }
  await s.runtime.start()
  for (let done = 0; done < kills; done++) {
    askSome(messages / kills)
    await setTimeout(random.between(100, 900))
    await s.runtime.kill()
    askSome(20)
    await s.runtime.start()
    // P11: a turn that is cut off three times is parked. Two kills, then everything gets its answer.
    if (done % 2 === 1) await allAnswered()
  }
  askSome(left)
  await allAnswered()
  await s.runtime.quiet()

  // Agents of one room speak beside each other: each question in one place, in no order among them.
  for (const { chat } of rooms) expect({ ...s.verdict(chat), strays: 0, disorder: [] }).toEqual(clean)
  const sql = postgres(s.database!, { max: 1, onnotice: () => {} })
  const [counts] = await sql<Array<Record<string, number>>>`select
    (select count(*)::int from (select event, slot from turn group by event, slot having count(*) > 1) d) as doubled,
    (select count(*)::int from decision where state in ('due', 'queued')) as undecided,
    (select count(*)::int from turn where state = 'running') as running,
    (select count(*)::int from turn) as turns,
    (select count(distinct agent)::int from turn) as agents,
    (select count(*)::int from budget where reserved <> 0) as reserved`
  await sql.end()
  expect(counts).toEqual({ doubled: 0, undecided: 0, running: 0, turns: messages, agents: 10, reserved: 0 })
  expect(s.ai.refusals()).toEqual([])
}, 180_000)
