import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { stage, type Stage } from "./Stage.ts"
import { answerTo, clean } from "./Questions.ts"

describe("a person on Telegram, through the real process", () => {
  let s: Stage
  beforeAll(async () => {
    s = await stage()
    await s.runtime.start()
  })
  afterAll(() => s.dispose())

  it("gets one message that becomes the answer, in two calls", async () => {
    const { chat } = s.private()
    const before = s.tg.calls("sendMessage") + s.tg.calls("editMessageText")
    const q = s.ask(chat)
    const seen = await s.answered(chat)
    expect(seen.map((m) => m.text)).toEqual([q, answerTo(q)])
    expect(seen[1]!.edits).toEqual(["…"])
    expect(s.tg.calls("sendMessage") + s.tg.calls("editMessageText") - before).toBe(2)
    expect(s.verdict(chat)).toEqual(clean)
  })
})
