import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { say } from "../../../infra/emulators/anthropic/index.ts"
import { world } from "../../../infra/testing/World.ts"
import { Sql } from "../../../runtime/index.ts"

describe("a turn, from words to answer, on real Postgres and NATS", () => {
  let w: Awaited<ReturnType<typeof world>>
  beforeAll(async () => {
    w = await world()
  })
  afterAll(() => w.dispose())

  it("answers what it was asked, with a receipt, in one order", async () => {
    w.emulator.script(say("Four."))
    const { events, answer } = await w.ask("sums", "what is 2 + 2?")
    expect(answer.text).toBe("Four.")
    const all = [
      ...events,
      ...(await w.watch(answer.thread, (e) => e.kind === "turn" && e.state === "finished", answer.pos)),
    ]
    expect(all.map((e) => (e.kind === "turn" ? `turn ${e.state}` : e.kind))).toEqual([
      "intent",
      "turn started",
      "message",
      "turn finished",
    ])
    expect(all.map((e) => e.pos)).toEqual([2, 3, 4, 5])
    expect(all.at(-1)).toMatchObject({ kind: "turn", tools: 0, reason: null })
  })

  it("remembers the room, and sends the same prefix again (P12)", async () => {
    w.emulator.clear()
    w.emulator.script(say("Blue."), say("You said blue."))
    await w.ask("memory", "my colour is blue")
    const { answer } = await w.ask("memory", "which colour?")
    expect(answer.text).toBe("You said blue.")
    expect(w.emulator.refusals()).toEqual([])
  })

  it("costs three commits a message, and reads nothing, however long the room is", async () => {
    const store = await w.run(Sql)
    const counts = { hot: 0, cold: 0 }
    const { hot, cold } = store
    Object.assign(store, {
      hot: (...args: Parameters<typeof hot>) => (counts.hot++, hot(...args)),
      cold: (...args: Parameters<typeof cold>) => (counts.cold++, cold(...args)),
    })
    await w.ask("cost", "first")
    counts.hot = counts.cold = 0
    const times = 40
    for (let n = 0; n < times; n++) await w.ask("cost", `word ${n}`)
    Object.assign(store, { hot, cold })
    // Accept, begin, finish, and the relay's cursor, which gathers. The test itself follows the room: one read each.
    expect(counts.hot / times).toBeLessThan(7)
    // And a sweep now and then.
    expect(counts.cold).toBeLessThan(times + 15)
  })
})
