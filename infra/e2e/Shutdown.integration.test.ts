/** SIGTERM drains: the process ends with 0 in the middle of whatever it does, and the work goes on after the next start. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { say, useTool } from "../emulators/anthropic/index.ts"
import { answerAll, answerTo, clean, openQuestions } from "./Questions.ts"
import { stage, type Stage } from "./Stage.ts"

let s: Stage
beforeAll(async () => {
  s = await stage()
})
beforeEach(() => s.runtime.start())
afterAll(() => s.dispose())

/** Longest time from SIGTERM to the exit, in milliseconds. */
const drain = 5_000

const terminated = async () => {
  const from = performance.now()
  expect(await s.runtime.kill("SIGTERM")).toEqual({ code: 0, signal: null })
  expect(performance.now() - from).toBeLessThan(drain)
}

describe("SIGTERM", () => {
  it("in the middle of a model call: the answer comes after the restart, in the same message", async () => {
    const { chat } = s.private()
    const part = "First words, and then "
    s.ai.script((request) => ({
      ...say(part + answerTo(openQuestions(request)[0]!)),
      deltaChars: 8,
      hangAfter: 9,
    }))
    s.ask(chat)
    await s.until(chat, (seen) => seen.some((m) => m.text.startsWith("First")))
    await terminated()
    await s.runtime.start()
    await s.answered(chat)
    expect(s.verdict(chat)).toEqual(clean)
    await terminated()
  })

  it("while a tool runs: the turn goes on after the restart", async () => {
    const { chat } = s.private()
    s.ai.script(useTool("shell", { command: "sleep 61" }), (request) => {
      expect(JSON.stringify(request.messages.at(-1))).toContain("outcome unknown")
      return answerAll(request)
    })
    s.ask(chat)
    await s.shellRuns("sleep 61")
    await terminated()
    await s.runtime.start()
    await s.answered(chat)
    expect(s.verdict(chat)).toEqual(clean)
    expect(s.ai.refusals()).toEqual([])
    await terminated()
  })

  it("with answers on their way: none is lost, none comes twice", async () => {
    const chats = Array.from({ length: 20 }, () => s.private().chat)
    for (const chat of chats) s.ask(chat)
    await s.until(chats[0]!, (seen) => seen.some((m) => m.from.isBot))
    await terminated()
    await s.runtime.start()
    for (const chat of chats) await s.answered(chat)
    for (const chat of chats) expect({ ...s.verdict(chat), strays: 0 }).toEqual(clean)
    await terminated()
  })
})
