/**
 * Two agents talk for long in one group, by hand-offs and invitations, up to the hop limit and on by "continue". Each says the
 * number after the last it heard: whoever reads along sees every number once, one after the other.
 */
import { afterAll, beforeAll, expect, it } from "vitest"
import { blocksOf, say, useTool, type MessagesRequest } from "../emulators/anthropic/index.ts"
import { stage, type Stage } from "./Stage.ts"

const last = 40
const numbersIn = (text: string) => [...text.matchAll(/#(\d+)/g)].map((m) => Number(m[1]))

let s: Stage
beforeAll(async () => {
  s = await stage({ agents: [{ name: "ada" }, { name: "bo" }] })
  await s.runtime.start()
})
afterAll(() => s.dispose())

const answer = (request: MessagesRequest) => {
  const newest = blocksOf(request.messages.at(-1)!.content)
  const told = JSON.stringify(newest)
  const self = /you=\\"@(\w+)\\"(?![^]*you=)/.exec(JSON.stringify(request.messages))![1]!
  const other = self === "ada" ? "bo" : "ada"
  const result = newest.some((b) => b.type === "tool_result")
  const heard = numbersIn(told)
  // It has invited, and nothing has come of it yet.
  if (result && heard.length === 0 && told.includes("Asked @")) return say("I asked.")
  const n = Math.max(0, ...(heard.length > 0 ? heard : numbersIn(JSON.stringify(request.messages))))
  if (n >= last) return say("That was all.")
  if (n % 10 === 2 && !result) return useTool("invite", { agent: other, request: `#${n + 1} please` })
  // Whoever is invited need not name the inviter: it is told.
  return say(n % 10 === 3 ? `#${n + 1} here.` : `#${n + 1} @${other}`)
}

it(`two agents exchange ${last} words; nothing is lost, doubled or out of order for who reads along`, async () => {
  s.ai.respond(answer)
  const { chat, people } = s.group("Eva", "Tom")
  const shown: Array<number> = []
  const stop = s.tg.onMessage((change) => {
    if (change.chat !== chat || !change.message.from.isBot) return
    for (const n of numbersIn(change.message.text)) if (!shown.includes(n)) shown.push(n)
  })
  s.tg.say(chat, people[0]!, "@ada count with bo, from #0")
  const limit = "Nobody else was called"
  let continued = 0
  for (;;) {
    const seen = await s.until(chat, (all) => {
      const texts = all.filter((m) => m.from.isBot).map((m) => m.text)
      return (
        texts.some((t) => t.includes(`#${last}`)) || texts.filter((t) => t.includes(limit)).length > continued
      )
    })
    if (seen.some((m) => m.text.includes(`#${last}`))) break
    continued++
    s.tg.say(chat, people[0]!, "continue")
  }
  const seen = await s.until(chat, (all) => all.every((m) => !m.text.endsWith("…")))
  stop()
  const all = Array.from({ length: last }, (_, i) => i + 1)
  expect(shown).toEqual(all)
  const spoken = seen.filter((m) => m.from.isBot)
  expect(spoken.flatMap((m) => numbersIn(m.text)).toSorted((a, b) => a - b)).toEqual(all)
  // Each stands below what it answers, and where the next place is its own, the numbers rise.
  for (const m of spoken) if (m.replyTo !== null) expect(m.replyTo).toBeLessThan(m.id)
  const plain = spoken.filter((m) => !m.text.includes("I asked.")).flatMap((m) => numbersIn(m.text))
  expect(plain).toEqual(plain.toSorted((a, b) => a - b))
  // Both have spoken, signed; the limit was met again and again, and said each time.
  expect(new Set(spoken.map((m) => m.text.split("\n")[0]))).toEqual(new Set(["ada", "bo"]))
  expect(continued).toBeGreaterThanOrEqual(5)
  expect(spoken.filter((m) => m.text.endsWith("please")).length).toBeGreaterThan(0)
  expect(s.ai.refusals()).toEqual([])
}, 60_000)
