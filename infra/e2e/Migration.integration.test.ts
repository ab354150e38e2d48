/** A group becomes a supergroup, with another number, while an agent works in it. */
import { afterAll, beforeAll, expect, it } from "vitest"
import { say } from "../emulators/anthropic/index.ts"
import { stage, type Stage } from "./Stage.ts"

let s: Stage
beforeAll(async () => {
  s = await stage()
  await s.runtime.start()
})
afterAll(() => s.dispose())

it("the answer is said there, and the room goes on as the same room", async () => {
  const kim = s.tg.user(1, "Kim")
  const chat = s.tg.group("Team", { type: "group" })
  s.ai.script(say("The first answer.", { delayMs: 600 }), say("The second answer."))
  s.tg.say(chat, kim, "@ada one?")
  await s.until(chat, (seen) => seen.some((m) => m.from.isBot))
  s.tg.migrate(chat)
  await s.until(chat, (seen) => seen.some((m) => m.text === "The first answer."))
  s.tg.say(chat, kim, "@ada two?")
  await s.until(chat, (seen) => seen.some((m) => m.text === "The second answer."))
  const asked = s.tg.say(chat, kim, "/cost")
  const seen = await s.until(chat, (now) => now.some((m) => m.replyTo === asked && m.text.includes("in all")))
  expect(seen.at(-1)!.text).toContain("2 turns")
  expect(seen.filter((m) => m.text === "The first answer.").length).toBe(1)
})
