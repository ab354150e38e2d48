/** What people on Telegram are answered without any agent, and without a model. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest"
import type { Chat } from "../emulators/telegram/index.ts"
import { answerTo } from "./Questions.ts"
import { stage, type Stage } from "./Stage.ts"

let s: Stage
let asked = 0
beforeAll(async () => {
  s = await stage({
    agents: [{ name: "ada" }, { name: "bo" }],
    telegram: [{ allow: { users: [1] } }],
  })
  await s.runtime.start()
})
beforeEach(() => {
  asked = s.ai.requests.length
})
afterAll(() => s.dispose())

const bots = (chat: Chat) => s.tg.transcript(chat).filter((m) => m.from.isBot)

it("a stranger gets one refusal with a code, and is answered once the owner gave it to Troupe", async () => {
  const sam = s.tg.user(666, "Sam")
  const chat = s.tg.privateChat(sam)
  for (const text of ["hello", "/help", "please"]) s.tg.say(chat, sam, text)
  const seen = await s.until(chat, (now) => now.some((m) => /[A-Z0-9]{4}-[A-Z0-9]{4}/.test(m.text)))
  const code = /[A-Z0-9]{4}-[A-Z0-9]{4}/.exec(seen.at(-1)!.text)![0]
  expect(await s.runtime.troupe("pair")).toMatch(/666 +waiting +Sam/)
  expect(await s.runtime.troupe("pair", "AAAA-AAAA")).toMatch(/Nobody has this code/)
  expect(s.ai.requests.length).toBe(asked)
  expect(await s.runtime.troupe("pair", code.toLowerCase())).toMatch(
    /^Sam \(666\) may speak to troupe-bot now/,
  )
  const q = s.ask(chat)
  await s.until(chat, (now) => now.at(-1)!.text.includes(answerTo(q)))
  // One refusal, for three messages.
  expect(bots(chat).length).toBe(2)
  expect(await s.runtime.troupe("pair", "666", "--remove")).toMatch(/Removed/)
  s.tg.say(chat, sam, "still there?")
  await s.until(chat, (now) => /[A-Z0-9]{4}-[A-Z0-9]{4}/.test(now.at(-1)!.text))
})

it("who, why, cost and help are told, and an order that changes nothing says so", async () => {
  const kim = s.tg.user(1, "Kim")
  const chat = s.tg.group("Room")
  const told = async (text: string, what: RegExp) => {
    const id = s.tg.say(chat, kim, text)
    const seen = await s.until(chat, (now) => now.some((m) => m.replyTo === id && what.test(m.text)))
    return seen.find((m) => m.replyTo === id)!.text
  }
  await told("/cost", /cost nothing yet/)
  const q = s.ask(chat, "@ada ", kim)
  await s.answered(chat)
  const before = s.ai.requests.length
  expect(await told("/why", /said/)).toMatch(
    new RegExp(`^Kim said: "@ada ${q}"\n@ada: lead, .*\n@bo: pass, addressed to ada$`),
  )
  expect(await told("/who", /free/)).toBe("@ada (Engineer): free\n@bo (Engineer): free")
  expect(await told("/cost@troupe_bot", /in all/)).toMatch(/^This room: \$0\.\d+ today.*\n@ada: .*, 1 turns$/)
  await told("/help", /@ada \(Engineer\), @bo/)
  await told("stop", /^Nothing was running\.$/)
  expect(s.ai.requests.length).toBe(before)
})
