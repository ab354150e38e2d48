import * as Effect from "effect/Effect"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { blocksOf, fail, say, useTool } from "../../infra/emulators/anthropic/index.ts"
import { world, type World } from "../../infra/testing/World.ts"
import { Journal, type Event, type TurnId } from "../../runtime/index.ts"
import { gate } from "./testing.ts"

const stopped = (e: Event) => e.kind === "turn" && e.state === "stopped"

describe("stopping a turn, on real Postgres and NATS", () => {
  let slow = gate("slow")
  let w: World
  beforeAll(async () => {
    w = await world({ tools: [{ ...slow.tool, run: (input) => slow.tool.run(input) }] })
  })
  afterEach(async () => {
    expect(w.emulator.refusals()).toEqual([])
    w.emulator.clear()
    slow = gate("slow")
    expect(await w.sql("select scope from budget where reserved <> 0")).toEqual([])
  })
  afterAll(() => w.dispose())

  const turnOf = async (event: string) => (await w.decided(event as never, "lead")).turn
  /** Stops it, and measures until the room was told; then the room must answer the next words. */
  const stop = async (room: string, said: { event: string; thread: never; pos: number }) => {
    const turn = await turnOf(said.event)
    const from = performance.now()
    expect(await w.run(Effect.flatMap(Journal, (j) => j.stop(turn)))).toBe(true)
    const events = await w.watch(said.thread, stopped, said.pos)
    const took = performance.now() - from
    expect(took).toBeLessThan(1000)
    expect(await w.run(Effect.flatMap(Journal, (j) => j.stop(turn)))).toBe(false)
    w.emulator.script(say("Going on."))
    expect((await w.ask(room, "continue")).answer.text).toBe("Going on.")
    return events.flatMap((e) => (e.kind === "message" ? [e.text] : []))
  }
  const steps = (turn: TurnId) => w.sql("select kind, state from step where turn = $1 order by n", [turn])

  it("acts while the model is silent in the middle of its words", async () => {
    w.emulator.script(say("a very long story", { hangAfter: 3 }))
    const said = await w.say("model", "tell me")
    await w.asked(1)
    const texts = await stop("model", said as never)
    expect(texts).toEqual(['Stopped. Nothing had been run. Say "continue" to go on.'])
    expect(await steps(await turnOf(said.event))).toEqual([{ kind: "model", state: "unknown" }])
    await w.run(w.emulator.hungUp)
  })

  it("acts while a tool runs, which is cut off, and says what is not known", async () => {
    w.emulator.script(useTool("slow", { path: "/a" }))
    const said = await w.say("tool", "do it")
    await w.eventually("the tool to run", () => Promise.resolve(slow.calls[0]))
    const texts = await stop("tool", said as never)
    expect(texts).toEqual([
      'Stopped. Nothing had been run. Broken off, outcome unknown: `slow {"path":"/a"}`. Say "continue" to go on.',
    ])
    expect(slow.interrupted()).toBe(1)
    const results = w.emulator.requests
      .at(-1)!
      .request.messages.flatMap((m) => blocksOf(m.content).filter((b) => b.type === "tool_result"))
    expect(results).toMatchObject([
      { content: "interrupted, outcome unknown, check before repeating", is_error: true },
    ])
  })

  it("acts while it waits to repeat a call", async () => {
    w.emulator.script(fail(429, "rate_limit_error", "later", { headers: { "retry-after": "60" } }))
    const said = await w.say("backoff", "do it")
    await w.asked(1)
    await stop("backoff", said as never)
  })

  it("acts while a cut off tool hangs in its cleaning up", async () => {
    slow = {
      ...slow,
      tool: {
        ...slow.tool,
        run: () => Effect.onInterrupt(Effect.never, () => Effect.sleep("1500 millis")),
      },
    }
    w.emulator.script(useTool("slow", {}))
    const said = await w.say("hangs", "do it")
    await w.eventually("the tool to start", () =>
      w.row(
        "select 1 from step where kind = 'tool' and turn = (select turn from decision where event = $1)",
        [said.event],
      ),
    )
    const from = performance.now()
    await w.run(
      Effect.flatMap(Journal, (j) => Effect.promise(() => turnOf(said.event)).pipe(Effect.flatMap(j.stop))),
    )
    await w.watch(said.thread, stopped, said.pos)
    expect(performance.now() - from).toBeLessThan(1000)
    w.emulator.script(say("Going on."))
    expect((await w.ask("hangs", "continue")).answer.text).toBe("Going on.")
  })

  it("acts at the next step, and soon, when nobody was told of it", async () => {
    w.emulator.script(useTool("slow", {}))
    const boundary = await w.say("untold", "do it")
    const call = await w.eventually("the tool to run", () => Promise.resolve(slow.calls[0]))
    w.emulator.script(say("for ever", { hangAfter: 3 }))
    const hanging = await w.say("untold 2", "tell me")
    await w.asked(2)
    await w.sql("update turn set stop = true where state = 'running'")
    call.open()
    await w.watch(boundary.thread, stopped, boundary.pos)
    await w.watch(hanging.thread, stopped, hanging.pos)
  })

  it("leaves words that wait their own turn", async () => {
    w.emulator.script(say("for ever", { hangAfter: 3 }), say("Your turn."))
    const said = await w.say("waiting", "tell me")
    await w.asked(1)
    const next = await w.say("waiting", "and me?", {
      author: { door: w.door, id: "8", name: "Bob", kind: "person" },
    })
    await w.decided(next.event, "queued")
    const turn = await turnOf(said.event)
    await w.run(Effect.flatMap(Journal, (j) => j.stop(turn)))
    const events = await w.watch(said.thread, (e) => e.kind === "message" && e.replyTo === next.event, 0)
    expect(events.at(-1)).toMatchObject({ text: "Your turn." })
  })
})
