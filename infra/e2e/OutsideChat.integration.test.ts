/** An outside agent behind a platform's door: what it says is said there, and people and agents answer it there. */
import { connect, type NatsConnection } from "@nats-io/transport-node"
import { afterAll, beforeAll, expect, it } from "vitest"
import type { MessageEvent } from "../../runtime/index.ts"
import { postgres } from "../../runtime/store/guard.ts"
import { say } from "../emulators/anthropic/index.ts"
import type { Chat } from "../emulators/telegram/index.ts"
import { testNats } from "../testing/index.ts"
import { after, before } from "./KillPoint.ts"
import { stage, type Stage } from "./Stage.ts"

let s: Stage
let nats: NatsConnection
/** Words that ask an agent, as they come over the bus, with the workspace. */
const asked: Array<{ readonly ws: string; readonly message: MessageEvent }> = []

beforeAll(async () => {
  s = await stage({ agents: [{ name: "ada" }, { name: "eve", kind: "outside" }] })
  const { url, user, password } = testNats()
  nats = await connect({ servers: url, user, pass: password })
  nats.subscribe("troupe.*.thread.*.*.message", {
    callback: (_, m) => void asked.push({ ws: m.subject.split(".")[1]!, message: m.json<MessageEvent>() }),
  })
  await nats.flush()
  await s.runtime.start()
})
afterAll(async () => {
  await nats.close()
  await s.dispose()
})

const heard = async (text: string) => {
  await expect.poll(() => asked.find((a) => a.message.text === text), { timeout: 15_000 }).toBeDefined()
  return asked.find((a) => a.message.text === text)!
}
const bots = (chat: Chat) => s.tg.transcript(chat).filter((m) => m.from.isBot && !m.text.endsWith("…"))

it("says it in the chat, signed, as an answer; an agent answers it there, and a reply asks it again", async () => {
  const { chat, people } = s.group("Eva", "Tom")
  s.ai.respond(() => say("I looked."))
  const question = s.tg.say(chat, people[0]!, "@eve is it done?")
  const { ws, message } = await heard("@eve is it done?")
  const [eve] = message.slots
  const speak = (id: string, text: string, replyTo: string) =>
    nats.request(`troupe.${ws}.say.${eve}.${message.thread}`, JSON.stringify({ id, text, replyTo }))
  await speak("1", "@ada please **look**.", message.id)
  // Sent again, it is not said again.
  await speak("1", "@ada please **look**.", message.id)
  await s.until(chat, () => bots(chat).length === 2)
  const [hers, adas] = bots(chat)
  expect([hers!.text, adas!.text]).toEqual(["eve\n@ada please look.", "ada\nI looked."])
  expect([hers!.replyTo, adas!.replyTo]).toEqual([question, hers!.id])

  s.tg.say(chat, people[1]!, "And you?", { replyTo: hers!.id })
  const again = await heard("And you?")
  expect(again.message.slots).toEqual([eve])
})

it("tells the chat once when it does not answer", async () => {
  const { chat, people } = s.group("Eva", "Tom")
  s.tg.say(chat, people[0]!, "@eve hello?")
  const { message } = await heard("@eve hello?")
  const sql = postgres(s.database!, { max: 1, onnotice: () => {} })
  await sql`update event set at = now() - interval '11 minutes' where id = ${message.id}`
  await sql.end()
  await s.until(chat, () => bots(chat).length === 1)
  expect(bots(chat)[0]!.text).toContain("Troupe\n@eve did not answer within 10 minutes")
})

it("killed around the statement that stores its words: sent again, they stand there once, under the same answer", async () => {
  const { chat, people } = s.group("Eva", "Tom")
  for (const [n, kill] of [before("speak"), after("speak")].entries()) {
    const text = `@eve number ${n}?`
    s.tg.say(chat, people[0]!, text)
    const { ws, message } = await heard(text)
    const subject = `troupe.${ws}.say.${message.slots[0]}.${message.thread}`
    const request = JSON.stringify({ id: message.id, text: `Number ${n}.`, replyTo: message.id })
    await s.runtime.arm(kill)
    const lost = nats.request(subject, request, { timeout: 20_000 }).catch(() => "no answer")
    await s.runtime.end()
    await s.runtime.start()
    const answer = (await nats.request(subject, request)).json<{ event: string; pos: number }>()
    expect(answer).toEqual({ event: expect.any(String), pos: expect.any(Number), thread: message.thread })
    expect((await nats.request(subject, request)).json()).toEqual(answer)
    await s.until(chat, () => bots(chat).length === n + 1)
    void lost
  }
  expect(bots(chat).map((m) => m.text)).toEqual(["eve\nNumber 0.", "eve\nNumber 1."])
})
