/**
 * P1, P4-P8: kill -9 of the runtime at every row of the hot path, then a restart. What counts is what the person sees: every
 * question answered in exactly one message, in order, and a model that never refuses what it is sent (P12).
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { answerAll, answerTo, clean, openQuestions, withTool } from "./Questions.ts"
import { after, before, type KillPoint } from "./KillPoint.ts"
import { stage, type Stage } from "./Stage.ts"
import { say, useTool } from "../emulators/anthropic/index.ts"
import type { Chat } from "../emulators/telegram/index.ts"

let s: Stage
beforeAll(async () => {
  s = await stage()
  await s.runtime.start()
})
afterAll(() => s.dispose())
afterEach(() => s.ai.respond((request) => answerAll(request)))

/** The process has died; it is started again, and the chat shows every answer, and goes on. */
const recovers = async (chat: Chat, mostStrays = 0) => {
  expect((await s.runtime.end()).signal).toBe("SIGKILL")
  await s.runtime.start()
  await s.answered(chat)
  s.ask(chat)
  await s.answered(chat)
  const { strays, ...verdict } = s.verdict(chat)
  expect({ ...verdict, strays: 0 }).toEqual(clean)
  expect(strays).toBeLessThanOrEqual(mostStrays)
  expect(s.ai.refusals()).toEqual([])
}

/** A stray placeholder is allowed only where its id could not be stored. */
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
    s.ai.respond((request) => answerAll(request, { delayMs: 150 }))
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
    s.ai.respond((request) => ({ ...withTool("echo done")(request), delayMs: 150 }))
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

describe("kill -9 while words wait for their turn", () => {
  /** Two people in a group: the second's words wait for the turn of the first. */
  const twoAsk = async (point: KillPoint) => {
    const { chat, people } = s.group("Eva", "Tom")
    await s.runtime.arm(point)
    let first = true
    s.ai.respond((request) => {
      const delayMs = first ? 1_400 : 0
      first = false
      return answerAll(request, { delayMs })
    })
    s.ask(chat, "@ada ", people[0])
    await s.until(chat, (seen) => seen.some((m) => m.text === "…"))
    s.ask(chat, "@ada ", people[1])
    expect((await s.runtime.end()).signal).toBe("SIGKILL")
    await s.runtime.start()
    await s.answered(chat)
    expect(s.verdict(chat)).toEqual(clean)
  }
  it("before that is noted (S2q)", () => twoAsk(before("queue")))
  it("when that is noted", () => twoAsk(after("queue")))
  it("when the turn before has ended, before the next begins", () => twoAsk(after("finish")))
  it("before the next begins (S2)", () => twoAsk(before("begin", 2)))

  it("five people at once: each is answered once, in order", async () => {
    const { chat, people } = s.group("Ann", "Ben", "Cid", "Dan", "Eli")
    await s.runtime.arm(after("finish", 2))
    for (const person of people) s.ask(chat, "@ada ", person)
    expect((await s.runtime.end()).signal).toBe("SIGKILL")
    await s.runtime.start()
    await s.answered(chat)
    const { strays, ...verdict } = s.verdict(chat)
    expect({ ...verdict, strays: 0 }).toEqual(clean)
    // The second placeholder may have been on its way.
    expect(strays).toBeLessThanOrEqual(1)
  })

  it("five words of one person at once, killed when they are stored: answered in order", async () => {
    const { chat } = s.private()
    await s.runtime.arm(after("accept"))
    for (let i = 0; i < 5; i++) s.ask(chat)
    await recovers(chat)
  })
})

describe("kill -9 while words join a turn", () => {
  const joins = async (point: KillPoint) => {
    const { chat } = s.private()
    await s.runtime.arm(point)
    s.ai.respond((request) => withTool("sleep 0.7")(request))
    s.ask(chat)
    await s.shellRuns("sleep 0.7")
    s.ask(chat)
    expect((await s.runtime.end()).signal).toBe("SIGKILL")
    s.ai.respond((request) => answerAll(request))
    await s.runtime.start()
    await s.answered(chat)
    const { lost, odd, strays } = s.verdict(chat)
    expect({ lost, odd, strays }).toEqual({ lost: [], odd: [], strays: 0 })
    expect(s.ai.refusals()).toEqual([])
  }
  it("before they have joined (S2j)", () => joins(before("join")))
  it("when they have joined", () => joins(after("join")))
})

describe("kill -9 within a long answer", () => {
  /** About 9,000 characters of numbered lines: three messages. */
  const lines = Array.from({ length: 300 }, (_, i) => `Line ${i} of ${"words ".repeat(3)}end.`)
  const tells = async (kill: (chat: Chat) => Promise<void>) => {
    const { chat } = s.private()
    s.ai.script(() => say(lines.join("\n")))
    await kill(chat)
    s.tg.say(chat, chat.person!, "Tell me all.")
    expect((await s.runtime.end()).signal).toBe("SIGKILL")
    await s.runtime.start()
    const shown = () =>
      s.tg
        .transcript(chat)
        .filter((m) => m.from.isBot)
        .map((m) => m.text)
    await s.until(chat, () => shown().at(-1)?.endsWith(lines.at(-1)!) === true)
    return shown()
  }
  const points: ReadonlyArray<readonly [string, KillPoint, number]> = [
    ["before its parts are stored", before("parts"), 0],
    ["when its parts are stored, before any is said", after("parts"), 0],
    ["when the first part is said, before that is noted", before("delivered"), 0],
    ["when the second message is there, before its id is stored", before("said", 2), 1],
    ["when the second message is there, before its words", after("said", 2), 0],
    ["when the second part is said, before that is noted", before("delivered", 2), 0],
    ["when the last part is said, before that is noted", before("delivered", 3), 0],
  ]
  it.each(points)("%s", async (_, point, strays) => {
    const shown = await tells(() => s.runtime.arm(point))
    expect(
      shown
        .filter((text) => text !== "…")
        .join("\n")
        .split("\n"),
    ).toEqual(lines)
    expect(shown.filter((text) => text === "…").length).toBe(strays)
  })
})

describe("kill -9 again, while it recovers", () => {
  const again: ReadonlyArray<readonly [string, KillPoint, KillPoint]> = [
    ["before it takes over", after("begin"), before("take")],
    ["when it has taken over", after("begin"), after("take", 2)],
    ["before the model call that was open is started again", after("begin"), before("advance")],
    ["when the model call that was open is started again", after("begin"), after("advance")],
    ["before the words are decided again", before("begin"), before("begin")],
    ["when the answer is stored", before("finish"), after("finish")],
    ["when the stored answer is said, before that is noted", after("finish"), before("delivered")],
  ]
  it.each(again)("%s", async (_, first, second) => {
    const { chat } = s.private()
    s.ai.respond((request) => answerAll(request, { delayMs: 30 }))
    await s.runtime.arm(first)
    s.ask(chat)
    expect((await s.runtime.end()).signal).toBe("SIGKILL")
    await s.runtime.start(second)
    // A placeholder may have been on its way.
    await recovers(chat, 1)
  })
})

it("afterwards nothing of all this was said again", () => {
  for (const chat of s.chats.keys()) expect({ ...s.verdict(chat), strays: 0 }, chat.title).toEqual(clean)
})
