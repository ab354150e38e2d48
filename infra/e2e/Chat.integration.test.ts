/** What one person sees in a private chat with one agent. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { fail, say, useTool, blocksOf, type MessagesRequest } from "../emulators/anthropic/index.ts"
import type { Chat } from "../emulators/telegram/index.ts"
import { answerAll, answerTo, clean } from "./Questions.ts"
import { stage, type Stage } from "./Stage.ts"

let s: Stage
beforeAll(async () => {
  // A stranger is everybody from 9,000 on.
  s = await stage({ telegram: [{ allow: { users: Array.from({ length: 100 }, (_, i) => i + 1) } }] })
  await s.runtime.start()
})
afterAll(() => s.dispose())
afterEach(() => {
  s.ai.respond((request) => answerAll(request))
  s.tg.flood({})
})

const spoken = (chat: Chat) => s.tg.transcript(chat).filter((m) => m.from.isBot)
const sent = () => s.tg.calls("sendMessage") + s.tg.calls("editMessageText")
const lastWords = (request: MessagesRequest) => blocksOf(request.messages.at(-1)?.content)

describe("a person on Telegram", () => {
  it("gets one message that becomes the answer, in two calls", async () => {
    const { chat } = s.private()
    const before = sent()
    const q = s.ask(chat)
    const seen = await s.answered(chat)
    expect(seen.map((m) => m.text)).toEqual([q, answerTo(q)])
    expect(seen[1]).toMatchObject({ edits: ["…"], replyTo: seen[0]!.id })
    await s.runtime.quiet()
    expect(sent() - before).toBe(2)
  })

  it("reads the first words of a long answer while the rest is still to come, in few calls", async () => {
    const { chat } = s.private()
    const before = sent()
    s.ai.respond((request) => ({
      ...say(`${"word ".repeat(150)}${answerAll(request).content[0]!["text"] as string}`),
      deltaChars: 5,
      eventDelayMs: 10,
    }))
    s.ask(chat)
    await s.until(chat, (seen) => /^word.*…$/.test(seen.at(-1)!.text))
    expect(s.verdict(chat).lost).toHaveLength(1)
    await s.answered(chat)
    expect(s.verdict(chat)).toEqual(clean)
    // About a second of words, shown at most once a second.
    expect(sent() - before).toBeLessThanOrEqual(5)
  })

  it("is answered by what the words say after an edit, when the edit comes first", async () => {
    const { chat, person } = s.private()
    const first = s.ask(chat)
    s.ai.script((request) => answerAll(request, { delayMs: 300 }))
    const message = s.tg.say(chat, person, "Tell me of red.")
    s.tg.edit(chat, message, "Tell me of blue.")
    s.ai.respond((request) => {
      const text = JSON.stringify(lastWords(request))
      return text.includes("blue") ? say("Blue it is.") : answerAll(request)
    })
    await s.until(chat, (seen) => seen.some((m) => m.text === "Blue it is."))
    expect(spoken(chat).filter((m) => m.text.includes(answerTo(first)))).toHaveLength(1)
    expect(spoken(chat).filter((m) => m.text === "Blue it is.")).toHaveLength(1)
  })

  it("is not answered again for an edit of words that were answered", async () => {
    const { chat, person } = s.private()
    const message = s.tg.say(chat, person, "Hello.")
    s.ai.respond(() => say("Hello too."))
    await s.until(chat, (seen) => seen.some((m) => m.text === "Hello too."))
    s.tg.edit(chat, message, "Hello!")
    // Words that come later are heard later: when they are answered, the edit was passed over.
    s.ai.respond((request) => answerAll(request))
    s.ask(chat)
    await s.answered(chat)
    expect(spoken(chat)).toHaveLength(2)
  })

  it("reads an answer of 9,000 characters in several messages, and nothing is lost", async () => {
    const { chat, person } = s.private()
    const lines = Array.from({ length: 300 }, (_, i) => `Line ${i} of ${"words ".repeat(3)}end.`)
    s.ai.respond(() => say(lines.join("\n")))
    s.tg.say(chat, person, "Tell me all.")
    await s.until(chat, (seen) => seen.at(-1)!.text.endsWith(lines.at(-1)!))
    expect(
      spoken(chat)
        .map((m) => m.text)
        .join("\n")
        .split("\n"),
    ).toEqual(lines)
    expect(spoken(chat)).toHaveLength(3)
  })

  it("waits while Telegram asks to slow down, and then reads the answer once", async () => {
    const { chat } = s.private()
    const from = performance.now()
    s.tg.fault("editMessageText", {
      kind: "error",
      code: 429,
      description: "Too Many Requests: retry after 1",
      retryAfter: 1,
    })
    s.ask(chat)
    await s.answered(chat)
    expect(performance.now() - from).toBeGreaterThan(1_000)
    expect(s.verdict(chat)).toEqual(clean)
  })

  it("shows a picture, and the model sees it", async () => {
    const { chat, person } = s.private()
    const bytes = Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3])
    let seen: unknown
    s.ai.respond((request) => {
      seen = lastWords(request).find((b) => b.type === "image")?.["source"]
      return say("A picture.")
    })
    s.tg.sendPhoto(chat, person, { bytes, caption: "What is this?" })
    await s.until(chat, (all) => all.some((m) => m.text === "A picture."))
    expect(seen).toEqual({
      type: "base64",
      media_type: "image/jpeg",
      data: Buffer.from(bytes).toString("base64"),
    })
  })

  it("has a command run in the agent's sandbox", async () => {
    const { chat, person } = s.private()
    s.ai.script(useTool("shell", { command: "echo $((6 * 7)); uname -s" }), (request) => {
      const [result] = lastWords(request)
      return say(`It says: ${JSON.stringify(result?.["content"])}`)
    })
    s.tg.say(chat, person, "Compute it.")
    const seen = await s.until(chat, (all) => all.at(-1)!.text.startsWith("It says"))
    expect(seen.at(-1)!.text).toMatch(/42\\nLinux/)
    expect(spoken(chat)).toHaveLength(1)
    expect(s.ai.refusals()).toEqual([])
  })

  it("is told in a sentence when the model can not answer", async () => {
    const { chat, person } = s.private()
    s.ai.respond(() => fail(401, "authentication_error", "invalid x-api-key"))
    s.tg.say(chat, person, "Are you there?")
    const seen = await s.until(chat, (all) => all.at(-1)!.from.isBot && all.at(-1)!.text !== "…")
    expect(seen.at(-1)!.text).toMatch(/^I can not answer: .*\.$/s)
    expect(spoken(chat)).toHaveLength(1)
  })

  it("a stranger gets one refusal, and no model is called", async () => {
    const stranger = s.tg.user(9_000, "Stranger")
    const theirs = s.tg.privateChat(stranger)
    const { chat } = s.private()
    const calls = s.ai.requests.length
    s.tg.say(theirs, stranger, "Give me everything.")
    // What is said later is heard later.
    s.ask(chat)
    await s.answered(chat)
    expect(s.ai.requests.length - calls).toBe(1)
    await s.until(theirs, () => spoken(theirs).some((m) => m.text !== "…"))
    expect(spoken(theirs).map((m) => m.text)).toEqual([expect.stringMatching(/^I do not know you/)])
  })
})
