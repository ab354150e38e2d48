/**
 * P1, P4-P8: kill -9 of the runtime at every row of the hot path, then a restart. What counts is what the person sees: every
 * question answered in exactly one message, in order, and a model that never refuses what it is sent (P12).
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { answerAll, answerTo, clean, openQuestions, withTool } from "./Questions.ts"
import { after, before, type KillPoint } from "./KillPoint.ts"
import { stage, type Stage } from "./Stage.ts"
import { useTool } from "../emulators/anthropic/index.ts"
import type { Chat } from "../emulators/telegram/index.ts"

let s: Stage
beforeAll(async () => {
  s = await stage()
  await s.runtime.start()
})
afterAll(() => s.dispose())
afterEach(() => s.ai.respond((request) => answerAll(request)))

/** The process has died; it is started again, and the chat shows every answer, and goes on. */
const recovers = async (chat: Chat, strays = 0) => {
  expect((await s.runtime.end()).signal).toBe("SIGKILL")
  await s.runtime.start()
  await s.answered(chat)
  expect(s.verdict(chat)).toEqual({ ...clean, strays })
  s.ask(chat)
  await s.answered(chat)
  expect(s.verdict(chat)).toEqual({ ...clean, strays })
  expect(s.ai.refusals()).toEqual([])
}

const rows: ReadonlyArray<readonly [string, KillPoint, number]> = [
  ["before the words are stored (S1)", before("accept"), 0],
  ["when the words are stored, before Telegram is told and before they are published", after("accept"), 0],
  ["when the words are published, before that is noted", before("published"), 0],
  ["when the words are delivered, before they are decided (S2)", before("begin"), 0],
  ["when the turn has begun, before the model and the placeholder", after("begin"), 0],
  ["when the placeholder was accepted, before its id is stored (S3)", before("said"), 1],
  ["when the id of the placeholder is stored", after("said"), 0],
  ["when the model has answered, before that is stored (S6)", before("finish"), 0],
  ["when the answer is stored, before it is said", after("finish"), 0],
  ["when the answer is said, before that is noted (S7)", before("delivered"), 0],
  ["when it is noted that the answer is said", after("delivered"), 0],
]

describe("kill -9 at a statement of the hot path", () => {
  it.each(rows)("%s", async (_, point, strays) => {
    const { chat } = s.private()
    // Turns whose placeholder is stored before the answer is there: the placeholder never decides what is seen.
    s.ai.respond((request) => answerAll(request, { delayMs: 50 }))
    await s.runtime.arm(point)
    s.ask(chat)
    await recovers(chat, strays)
  })

  const toolRows: ReadonlyArray<readonly [string, KillPoint]> = [
    ["before the tool call is stored (S4)", before("advance")],
    ["when the tool call is stored, before it runs", after("advance")],
    ["when the tool has run, before its result is stored (S5)", before("advance", 2)],
    ["when the result of the tool is stored, before the model goes on", after("advance", 2)],
  ]
  it.each(toolRows)("%s", async (_, point) => {
    const { chat } = s.private()
    s.ai.respond((request) => ({ ...withTool("echo done")(request), delayMs: 50 }))
    await s.runtime.arm(point)
    s.ask(chat)
    await recovers(chat)
  })
})

describe("kill -9 outside of statements", () => {
  it("when the request has arrived at the model", async () => {
    const { chat } = s.private()
    await s.runtime.arm(after("said"))
    s.ai.script(() => ({ status: "silence" }))
    s.ask(chat)
    await recovers(chat)
  })

  it("in the middle of the model's words, with a part of them shown", async () => {
    const { chat } = s.private()
    const part = "First words, and then "
    s.ai.script((request) => ({
      content: [{ type: "text", text: part + answerTo(openQuestions(request)[0]!) }],
      deltaChars: 8,
      hangAfter: 9,
    }))
    s.killWhen(({ kind, message }) => kind === "edit" && message.text.startsWith("First"))
    s.ask(chat)
    await recovers(chat)
  })

  it("while a tool runs: it is not run twice", async () => {
    const { chat } = s.private()
    const runs: Array<string> = []
    s.ai.respond((request) => {
      const last = JSON.stringify(request.messages.at(-1))
      if (last.includes("tool_result")) {
        runs.push(last)
        return last.includes("outcome unknown")
          ? useTool("shell", { command: "cat count; wc -l < count" })
          : answerAll(request)
      }
      return runs.length === 0
        ? useTool("shell", { command: "echo ran >> count; sleep 60" })
        : answerAll(request)
    })
    s.ask(chat)
    await s.shellRuns("sleep 60")
    s.runtime.signal("SIGKILL")
    await recovers(chat)
    expect(runs[0]).toContain("interrupted, outcome unknown, check before repeating")
    expect(runs[1]).toMatch(/ran\\n1\b/)
  })

  it("when Telegram has accepted the placeholder and its answer is lost", async () => {
    const { chat } = s.private()
    s.killWhen(({ kind, message }) => kind === "new" && message.from.isBot)
    s.ask(chat)
    await recovers(chat, 1)
  })

  it("when Telegram has accepted the answer and its own answer is lost", async () => {
    const { chat } = s.private()
    const q = s.ask(chat)
    s.killWhen(({ kind, message }) => kind === "edit" && message.text === answerTo(q))
    await recovers(chat)
  })
})
