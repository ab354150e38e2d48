/**
 * kill -9 of everything (the runtime, its embedded Postgres, its nats-server) in a burst of 200 messages over 50 chats: nothing
 * is lost, nothing is answered in two messages, and all is answered soon after the restart.
 */
import { afterAll, beforeAll, expect, it } from "vitest"
import { clean } from "./Questions.ts"
import { stage, type Stage } from "./Stage.ts"

let s: Stage
beforeAll(async () => {
  s = await stage({ embedded: true })
  await s.runtime.start()
}, 120_000)
afterAll(() => s.dispose())

it("a burst of 200 messages survives kill -9 of everything", async () => {
  const chats = Array.from({ length: 50 }, () => s.private().chat)
  // Everything is warm.
  for (const chat of chats.slice(0, 5)) s.ask(chat)
  for (const chat of chats.slice(0, 5)) await s.answered(chat)

  const shown = () =>
    chats.reduce(
      (n, chat) => n + s.tg.transcript(chat).filter((m) => m.from.isBot && m.text !== "…").length,
      0,
    )
  const middle = new Promise<void>((resolve) => {
    const stop = s.tg.onMessage(() => {
      if (shown() < 75) return
      stop()
      resolve()
    })
  })
  for (let n = 0; n < 4; n++) for (const chat of chats) s.ask(chat)
  await middle
  await s.runtime.killEverything()
  const before = shown()

  const from = performance.now()
  const lap = () => `${Math.round(performance.now() - from)} ms`
  await s.runtime.start()
  const ready = lap()
  for (const chat of chats) await s.answered(chat, 30_000)
  const answered = lap()
  console.log(
    `burst: killed with ${before} of 205 answered; ready after ${ready}, all answered after ${answered}`,
  )

  const verdicts = chats.map((chat) => s.verdict(chat))
  expect(verdicts.map((v) => ({ ...v, strays: 0 }))).toEqual(chats.map(() => clean))
  expect(s.ai.refusals()).toEqual([])
}, 90_000)
