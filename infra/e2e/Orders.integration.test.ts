/**
 * kill -9 around the statements of orders, rests, invitations and triage, then a restart: what people see is said once, what was
 * allowed runs once, and nothing is lost (P4, P6, P8, P13).
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { say, useTool, type MessagesRequest } from "../emulators/anthropic/index.ts"
import type { Chat } from "../emulators/telegram/index.ts"
import { after, before, type KillPoint } from "./KillPoint.ts"
import { answerAll, answerTo } from "./Questions.ts"
import { stage, type Stage } from "./Stage.ts"

let s: Stage
beforeAll(async () => {
  s = await stage({
    agents: [{ name: "ada", permissions: { write_file: "ask" } }, { name: "bo" }],
    telegram: [{ triage: "model" }],
  })
  await s.runtime.start()
})
afterAll(() => s.dispose())
afterEach(() => expect(s.ai.refusals()).toEqual([]))

const last = (request: MessagesRequest) => JSON.stringify(request.messages.at(-1))
const self = (request: MessagesRequest) =>
  /you=\\"@(\w+)\\"(?![^]*you=)/.exec(JSON.stringify(request.messages))?.[1]
const returned = (request: MessagesRequest) => last(request).includes("tool_result")
const shown = (chat: Chat) => s.tg.transcript(chat).filter((m) => m.from.isBot)
const count = (chat: Chat, part: string) => shown(chat).filter((m) => m.text.includes(part)).length
const diesAndReturns = async () => {
  expect((await s.runtime.end()).signal).toBe("SIGKILL")
  await s.runtime.start()
}
const around = (name: Parameters<typeof before>[0]): ReadonlyArray<readonly [string, KillPoint]> => [
  [`before ${name}`, before(name)],
  [`after ${name}`, after(name)],
]

describe("a permission", () => {
  const asks = (request: MessagesRequest) =>
    returned(request) ? answerAll(request) : useTool("write_file", { path: "~/note", content: "one\n" })
  /** Whether the tool ran, as the model was told. */
  const ran = () =>
    s.ai.requests.filter((r) => last(r.request).includes("tool_result")).map((r) => last(r.request))

  it.each(around("rest"))("is asked once, %s", async (_, point) => {
    s.ai.clear()
    s.ai.respond(asks)
    const { chat } = s.group("Eva")
    const person = s.tg.user(500 + s.chats.size, "Eva")
    await s.runtime.arm(point)
    const q = s.ask(chat, "@ada ", person)
    await diesAndReturns()
    await s.until(chat, () => count(chat, "May I do this?") === 1)
    s.tg.say(chat, person, "approve")
    await s.answered(chat)
    expect([count(chat, "May I do this?"), count(chat, answerTo(q)), ran().length]).toEqual([1, 1, 1])
    // Whoever answered finds what came of it below: nothing is edited into what stands above.
    const words = shown(chat).map((m) => m.text.split("\n")[1])
    expect(words.filter((text) => text !== "…")).toEqual([
      "I need an answer first; see below.",
      "May I do this?",
      answerTo(q),
    ])
  })

  it.each(around("order"))("is given once, %s", async (_, point) => {
    s.ai.clear()
    s.ai.respond(asks)
    const { chat } = s.group("Eva")
    const person = s.tg.user(500 + s.chats.size, "Eva")
    const q = s.ask(chat, "@ada ", person)
    await s.until(chat, () => count(chat, "May I do this?") === 1)
    await s.runtime.arm(point)
    s.tg.say(chat, person, "approve")
    await diesAndReturns()
    await s.answered(chat, 20_000)
    expect([count(chat, "May I do this?"), count(chat, answerTo(q)), ran().length]).toEqual([1, 1, 1])
  })

  it.each(around("order"))("stop is not lost, %s", async (_, point) => {
    s.ai.clear()
    s.ai.respond(asks)
    const { chat } = s.group("Eva")
    const person = s.tg.user(500 + s.chats.size, "Eva")
    s.tg.say(chat, person, "@ada do it")
    await s.until(chat, () => count(chat, "May I do this?") === 1)
    await s.runtime.arm(point)
    s.tg.say(chat, person, "stop")
    await diesAndReturns()
    await s.until(chat, () => count(chat, "Stopped.") === 1, 20_000)
    expect(ran()).toEqual([])
  })
})

it.each(around("remark"))("an invitation is said once, and its answer comes back, %s", async (_, point) => {
  s.ai.clear()
  s.ai.respond((request) => {
    if (self(request) === "bo") return say("bo has looked.")
    if (last(request).includes("bo has looked.")) return say("All of it is done.")
    return last(request).includes("Asked @bo")
      ? say("I asked bo.")
      : useTool("invite", { agent: "bo", request: "please look" })
  })
  const { chat } = s.group("Eva")
  await s.runtime.arm(point)
  s.tg.say(chat, s.tg.user(900 + s.chats.size, "Eva"), "@ada do it")
  await diesAndReturns()
  await s.until(chat, () => count(chat, "All of it is done.") === 1, 20_000)
  expect(["please look", "bo has looked.", "I asked bo."].map((part) => count(chat, part))).toEqual([1, 1, 1])
})

it.each([...around("triage"), ...around("found")])(
  "open words are given to one agent by triage, %s",
  async (_, point) => {
    s.ai.clear()
    s.ai.respond((request) =>
      JSON.stringify(request.system).includes("<triage>") ? say("@bo: it fits") : answerAll(request),
    )
    const { chat } = s.group("Eva")
    await s.runtime.arm(point)
    const q = s.ask(chat, "who knows ", s.tg.user(700 + s.chats.size, "Eva"))
    await diesAndReturns()
    await s.answered(chat, 25_000)
    expect(count(chat, answerTo(q))).toBe(1)
    expect(shown(chat).at(-1)!.text.startsWith("bo\n")).toBe(true)
  },
)
