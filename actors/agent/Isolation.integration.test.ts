/**
 * P11: an agent that hangs, crashes in every turn, is flooded, or blocks in a tool delays no other. The figure printed is the
 * other's p99 beside them, as a ratio to its p99 alone in the same run.
 */
import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import { say, useTool, type MessagesRequest } from "../../infra/emulators/anthropic/index.ts"
import { answers, world } from "../../infra/testing/World.ts"
import type { ThreadId } from "../../runtime/index.ts"
import { gate } from "../conversation/testing.ts"

const self = (request: { readonly messages: ReadonlyArray<unknown> }) =>
  /you=\\"@(\w+)\\"(?![^]*you=)/.exec(JSON.stringify(request.messages))?.[1]
const asked = 60
/** Words for the flooded agent, each time. */
const flood = 5

it("agents that hang, crash, are flooded or block change nothing for another (P11)", async () => {
  const blocked = gate("blocked")
  let crashes = 0
  const w = await world({
    agents: ["ada", "hangs", "crashes", "flooded", "blocks"],
    tools: [blocked.tool],
    around: (model) => ({
      call: (request, onText) =>
        self(request) === "crashes"
          ? (crashes++, Effect.die("a bug in the turn"))
          : model.call(request, onText),
    }),
  })
  w.emulator.respond((request: MessagesRequest) => {
    switch (self(request)) {
      case "hangs":
        return say("I never end", { hangAfter: 1 })
      case "blocks":
        return useTool("blocked", {})
      case "flooded":
        return say("One more.", { delayMs: 50 })
      default:
        return say("Here.")
    }
  })
  const times = async (of: string) => {
    const took: Array<number> = []
    for (let n = 0; n < asked; n++) {
      const from = performance.now()
      await w.ask(`${of}${n % 4}`, "@ada hello")
      took.push(performance.now() - from)
    }
    return took.toSorted((a, b) => a - b)
  }
  await times("warm")
  const alone = await times("alone")

  const hung = await w.say("hung", "@hangs hello")
  const crashed = await w.say("crashed", "@crashes hello")
  await w.say("blocked", "@blocks hello")
  await w.eventually("the tool to run", () => Promise.resolve(blocked.calls[0]))
  const flooding = setInterval(
    () => void w.accept(Array.from({ length: flood }, (_, n) => w.inbound(`flood ${n}`, "@flooded hello"))),
    20,
  )
  const beside = await times("beside")
  clearInterval(flooding)

  const p = (sorted: ReadonlyArray<number>, q: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!
  console.log(
    `beside four that misbehave: p50 ${p(beside, 0.5).toFixed(1)} ms = ${(p(beside, 0.5) / p(alone, 0.5)).toFixed(2)}x, ` +
      `p99 ${p(beside, 0.99).toFixed(1)} ms = ${(p(beside, 0.99) / p(alone, 0.99)).toFixed(2)}x`,
  )
  // A machine that does other things as well must not fail this; a wait for one of the four would be for ever.
  expect(p(beside, 0.5)).toBeLessThan(p(alone, 0.5) * 10 + 100)

  // Poison is parked after the third crash, with a notice.
  const parked = await w.watch(crashed.thread, (e) => e.kind === "turn" && e.state === "parked")
  expect(parked.findLast((e) => e.kind === "message")).toMatchObject({
    text: expect.stringContaining("interrupted again and again"),
  })
  expect(crashes).toBe(3)
  // Who hangs still hears: it can be stopped.
  await w.say("hung", "stop")
  await w.watch(hung.thread as ThreadId, (e) => answers(e, hung.event))
  await w.dispose()
}, 60_000)
