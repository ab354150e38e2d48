/** Many chats at once under Telegram's limits: what is said late is still said, once. */
import { afterAll, beforeAll, expect, it } from "vitest"
import { clean } from "./Questions.ts"
import { stage, type Stage } from "./Stage.ts"

let s: Stage
beforeAll(async () => {
  s = await stage({ agents: [{ name: "ada" }, { name: "bo" }] })
  await s.runtime.start()
})
afterAll(() => s.dispose())

it("fifty chats that ask at the same time under limits are all answered once, with few refusals", async () => {
  s.tg.flood({ globalPerSecond: 25, perChatPerSecond: 1, perGroupPerMinute: 20 })
  const privates = Array.from({ length: 40 }, () => s.private())
  const groups = Array.from({ length: 10 }, (_, i) => s.group(`Kim ${i}`, `Lee ${i}`))
  for (const { chat } of privates) s.ask(chat)
  for (const { chat, people } of groups) s.ask(chat, "@ada ", people[0])
  const chats = [...privates, ...groups].map(({ chat }) => chat)
  await Promise.all(chats.map((chat) => s.answered(chat, 60_000)))
  for (const chat of chats) {
    expect(s.verdict(chat)).toEqual(clean)
    expect(s.tg.transcript(chat).filter((m) => m.from.isBot).length).toBe(1)
  }
  await s.runtime.quiet()
  const calls = s.tg.calls("sendMessage") + s.tg.calls("editMessageText")
  // A hundred are needed. Without a budget that is learned, each that waits asks again and again.
  expect(calls).toBeLessThanOrEqual(200)
}, 90_000)
