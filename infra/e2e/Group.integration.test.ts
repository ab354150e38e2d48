/** Several agents in a group: behind one bot, and with a bot each. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { say, type MessagesRequest } from "../emulators/anthropic/index.ts"
import type { Chat, Seen } from "../emulators/telegram/index.ts"
import { answerAll } from "./Questions.ts"
import { stage, type Stage } from "./Stage.ts"

const spoken = (s: Stage, chat: Chat) => s.tg.transcript(chat).filter((m) => m.from.isBot)
const done = (seen: ReadonlyArray<Seen>, count: number) =>
  seen.filter((m) => m.from.isBot && !m.text.endsWith("…")).length === count

/** The agent that a request is for. */
const speaker = (request: MessagesRequest) =>
  /you=\\"@(\w+)\\"/.exec(JSON.stringify(request.messages.at(-1)))?.[1]

describe("two agents behind one bot", () => {
  let s: Stage
  beforeAll(async () => {
    s = await stage({ agents: [{ name: "ada" }, { name: "bo" }] })
    await s.runtime.start()
  })
  beforeEach(() => s.ai.respond((request) => say(`${speaker(request)} speaks.`)))
  afterAll(() => s.dispose())

  it("the one that is named answers, and signs", async () => {
    const { chat, people } = s.group("Eva", "Tom")
    s.tg.say(chat, people[0]!, "@bo what do you think?")
    const seen = await s.until(chat, (all) => done(all, 1))
    expect(seen.at(-1)!.text).toBe("bo\nbo speaks.")
    expect(seen.at(-1)!.entities).toEqual([{ type: "bold", offset: 0, length: 2 }])
  })

  it("a reply to an agent's message asks that agent", async () => {
    const { chat, people } = s.group("Eva", "Tom")
    s.tg.say(chat, people[0]!, "@ada and you?")
    s.tg.say(chat, people[0]!, "@bo and you?")
    const seen = await s.until(chat, (all) => done(all, 2))
    for (const name of ["bo", "ada"]) {
      const theirs = seen.find((m) => m.text === `${name}\n${name} speaks.`)!
      const count = spoken(s, chat).length
      s.tg.say(chat, people[1]!, "Why?", { replyTo: theirs.id })
      const after = await s.until(chat, (all) => done(all, count + 1))
      expect(after.at(-1)!.text).toBe(`${name}\n${name} speaks.`)
    }
  })

  it("words for nobody are met with silence where triage is off", async () => {
    const { chat, people } = s.group("Eva", "Tom")
    const calls = s.ai.requests.length
    s.tg.say(chat, people[0]!, "Lovely weather.")
    s.tg.say(chat, people[1]!, "@ada is it?")
    await s.until(chat, (all) => done(all, 1))
    expect(s.ai.requests.length - calls).toBe(1)
    // But it was heard.
    expect(JSON.stringify(s.ai.requests.at(-1)!.request.messages)).toContain("Lovely weather.")
  })

  it("one that another calls answers too", async () => {
    const { chat, people } = s.group("Eva", "Tom")
    s.ai.respond((request) => say(speaker(request) === "ada" ? "@bo please look." : "I looked."))
    s.tg.say(chat, people[0]!, "@ada have it checked.")
    const seen = await s.until(chat, (all) => done(all, 2))
    expect(seen.slice(-2).map((m) => m.text)).toEqual(["ada\n@bo please look.", "bo\nI looked."])
  })
})

describe("a bot for each agent", () => {
  let s: Stage
  beforeAll(async () => {
    s = await stage({
      bots: [
        { token: "1000:ada", username: "ada_bot" },
        { token: "2000:bo", username: "bo_bot" },
      ],
      agents: [
        { name: "ada", integrations: ["ada-bot"] },
        { name: "bo", integrations: ["bo-bot"] },
      ],
    })
    await s.runtime.start()
  })
  afterAll(() => s.dispose())

  it("each answers as itself, without a signature, what it alone was asked", async () => {
    s.ai.respond((request) => say(`${speaker(request)} speaks.`))
    const eva = s.tg.user(1, "Eva")
    const chats = ["1000:ada", "2000:bo"].map((token) => s.tg.privateChat(eva, s.tg.bot(token)))
    for (const chat of chats) s.tg.say(chat, eva, "Hello.")
    const shown = await Promise.all(chats.map((chat) => s.until(chat, (all) => done(all, 1))))
    expect(
      shown.map((seen) => seen.filter((m) => m.from.isBot).map((m) => [m.from.username, m.text])),
    ).toEqual([[["ada_bot", "ada speaks."]], [["bo_bot", "bo speaks."]]])
  })

  it("in a group that both are in, the bot that is named answers", async () => {
    s.ai.respond((request) => answerAll(request))
    const { chat, people } = s.group("Tom")
    s.ask(chat, "@bo_bot ", people[0])
    await s.answered(chat)
    expect(spoken(s, chat).map((m) => m.from.username)).toEqual(["bo_bot"])
  })
})
