/** What people do with the buttons below an agent's words. */
import * as Effect from "effect/Effect"
import { afterAll, beforeAll, expect, it } from "vitest"
import { say, useTool } from "../emulators/anthropic/index.ts"
import { stage, type Stage } from "./Stage.ts"

let s: Stage
beforeAll(async () => {
  const agents = [{ name: "ada", permissions: { shell: "ask" } }]
  s = await stage({ agents, telegram: [{ allow: { users: [1, 2] } }] })
  await s.runtime.start()
})
afterAll(() => s.dispose())

it("a question is answered once, by whom the work is for, and then has no buttons", async () => {
  const { chat, people } = s.group("Kim", "Lee")
  const [kim, lee] = people
  s.ai.script(useTool("shell", { command: "echo hello" }), say("It said hello."))
  s.tg.say(chat, kim!, "@troupe_bot say hello")
  const asked = await s.until(chat, (seen) => seen.at(-1)!.buttons.flat().length === 2)
  const question = asked.at(-1)!
  const press = (who: typeof kim, button: string | { data: string }) =>
    Effect.runPromise(s.tg.press(chat, question.id, who!, button))
  const approve = question.buttons.flat().find((b) => b.text === "Approve")!.callback_data
  expect(await press(lee, "Approve")).toMatch(/^Not allowed/)
  expect(await press(s.tg.user(9_001, "Eve"), "Approve")).toMatch(/not on the list/)
  expect(await press(kim, "Approve")).toBe("Allowed @ada.")
  const end = await s.until(
    chat,
    (seen) => seen.some((m) => m.text === "It said hello.") && seen.every((m) => m.buttons.length === 0),
  )
  // It stands below the question, where whoever answered looks.
  expect(end.at(-1)!.text).toBe("It said hello.")
  expect(end.find((m) => m.id === question.id)?.text).toMatch(/Approved by Kim\.$/)
  expect(await press(kim, { data: approve })).toBe("It was answered already.")
})

it("the button of a running turn stops it", async () => {
  const { chat } = s.group()
  s.ai.script({ ...say("word ".repeat(400)), deltaChars: 5, eventDelayMs: 20 })
  s.tg.say(chat, s.tg.user(2, "Lee"), "@troupe_bot talk")
  const running = await s.until(chat, (seen) => seen.at(-1)!.buttons.length === 1)
  const toast = await Effect.runPromise(s.tg.press(chat, running.at(-1)!.id, s.tg.user(1, "Kim"), "Stop"))
  expect(toast).toBe("Stopped @ada.")
  const end = await s.until(chat, (seen) => seen.at(-1)!.text.includes("Stopped."))
  expect(end.at(-1)!.buttons).toEqual([])
})
