/**
 * P9: a process that is paused (SIGSTOP, a long pause of the host) loses what it owned to another one on the same database. When it
 * goes on, it writes nothing and says nothing: the answer the other gave stands. It still serves as the next owner.
 */
import { setTimeout } from "node:timers/promises"
import { afterAll, beforeAll, expect, it } from "vitest"
import { say, useTool } from "../emulators/anthropic/index.ts"
import { postgres } from "../../runtime/store/guard.ts"
import { answerAll, answerTo, clean, openQuestions } from "./Questions.ts"
import { stage, type Stage } from "./Stage.ts"

let s: Stage
beforeAll(async () => {
  s = await stage()
  await s.runtime.start()
})
afterAll(() => s.dispose())

/** What turns have written. */
const written = async () => {
  const sql = postgres(s.database!, { max: 1, onnotice: () => {} })
  const rows = await sql`select
    (select jsonb_agg(t order by id) from turn t) as turns, (select jsonb_agg(p order by turn, n) from step p) as steps,
    (select jsonb_agg(o order by turn, part) from outbox o) as outbox, (select count(*) from event) as events,
    (select count(*) from transcript) as lines`
  await sql.end()
  return rows[0]
}

it("a paused process that goes on writes nothing and says nothing", async () => {
  const talks = s.private().chat
  const works = s.private().chat
  const part = "First words, and "
  s.ai.respond((request) => {
    const [q] = openQuestions(request)
    if (s.ai.requests.length >= 2) return answerAll(request)
    return q === asked.works
      ? useTool("shell", { command: "sleep 9; echo done" })
      : // It goes on to talk while the process is paused, and for a while after.
        { ...say(part.repeat(40) + answerTo(q!)), deltaChars: 8, eventDelayMs: 150 }
  })
  const asked = { works: s.ask(works), talks: "" }
  await s.shellRuns("sleep 9")
  asked.talks = s.ask(talks)
  await s.until(talks, (seen) => seen.some((m) => m.text.startsWith("First")))

  s.runtime.signal("SIGSTOP")
  const other = s.process()
  await other.start()
  await s.answered(talks, 25_000)
  await s.answered(works, 25_000)
  expect([s.verdict(talks), s.verdict(works)]).toEqual([clean, clean])
  // Nothing moves any more: what is written from here on would be the paused one's.
  await other.quiet()
  const before = { written: await written(), talks: s.tg.transcript(talks), works: s.tg.transcript(works) }

  s.runtime.signal("SIGCONT")
  // What it has in hand (the rest of the model's words, the end of its command) lasts less than that.
  await setTimeout(3_000)
  expect({ written: await written(), talks: s.tg.transcript(talks), works: s.tg.transcript(works) }).toEqual(
    before,
  )

  s.ask(talks)
  await s.answered(talks)
  expect(s.verdict(talks)).toEqual(clean)

  // The other dies: the first takes everything back.
  await other.kill()
  s.ask(talks)
  s.ask(works)
  await s.answered(talks)
  await s.answered(works)
  expect([s.verdict(talks), s.verdict(works)]).toEqual([clean, clean])
  expect(s.ai.refusals()).toEqual([])
}, 90_000)
