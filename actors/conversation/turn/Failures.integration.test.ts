import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { fail, say, type Answer } from "../../../infra/emulators/anthropic/index.ts"
import { world, type World } from "../../../infra/testing/World.ts"

describe("a turn whose model call fails, on real Postgres and NATS", () => {
  let w: World
  beforeAll(async () => {
    w = await world()
  })
  afterEach(async () => {
    w.emulator.clear()
    // P10: no end of any kind leaves money reserved.
    expect(await w.sql("select scope from budget where reserved <> 0")).toEqual([])
  })
  afterAll(() => w.dispose())

  const never: ReadonlyArray<readonly [string, Answer, RegExp]> = [
    ["401", fail(401, "authentication_error", "invalid x-api-key"), /ANTHROPIC_API_KEY/],
    ["402", fail(402, "billing_error", "no money"), /no money left/],
    ["a spend limit", fail(400, "invalid_request_error", "You have reached your spend limit"), /spend limit/],
    ["403", fail(403, "permission_error", "not yours"), /may not do this/],
    ["404", fail(404, "not_found_error", "model: nope"), /unknown to the API/],
  ]
  it.each(never)("says in one sentence that it can not answer: %s", async (name, failure, sentence) => {
    w.emulator.script(failure)
    const { answer, thread } = await w.ask(`never ${name}`, "hello")
    expect(answer.text).toMatch(/^I can not answer: /)
    expect(answer.text).toMatch(sentence)
    expect(answer.text.split("\n").length).toBe(1)
    const end = (await w.watch(thread, (e) => e.kind === "turn" && e.state === "failed", answer.pos)).at(-1)
    expect(end).toMatchObject({ cost: 0 })
    expect(w.emulator.requests.length).toBe(1)
    expect(
      await w.sql(
        "select s.state, s.cost::int from step s join turn t on t.id = s.turn where t.thread = $1",
        [thread],
      ),
    ).toEqual([{ state: "failed", cost: 0 }])
    // The room is not lost: the next words are answered.
    w.emulator.script(say("Back again."))
    expect((await w.ask(`never ${name}`, "and now?")).answer.text).toBe("Back again.")
    expect(w.emulator.refusals()).toEqual([])
  })

  const later: ReadonlyArray<readonly [string, Answer]> = [
    ["429", fail(429, "rate_limit_error", "slow down", { headers: { "retry-after": "1" } })],
    ["500", fail(500, "api_error", "oops")],
    ["529", fail(529, "overloaded_error", "overloaded")],
    ["a connection that breaks before a byte", { status: "reset" }],
    [
      "an error in mid-stream",
      say("half a", { errorAfter: { events: 3, type: "overloaded_error", message: "x" } }),
    ],
    ["a stream that is cut", say("half a", { cutAfter: 3 })],
    ["a stream that ends early", say("half a", { endAfter: 3 })],
  ]
  it("repeats the same call by itself, whatever broke it", async () => {
    const seen = new Map<string, number>()
    w.emulator.respond((request) => {
      const text = JSON.stringify(request.messages)
      const [name, failure] = later.find(([name]) => text.includes(`>${name}<`))!
      const times = (seen.get(name) ?? 0) + 1
      seen.set(name, times)
      return times === 1 ? failure : say("Whole.")
    })
    const answers = await Promise.all(later.map(([name]) => w.ask(`later ${name}`, name)))
    expect(answers.map((a) => a.answer.text)).toEqual(later.map(() => "Whole."))
    expect([...seen.values()]).toEqual(later.map(() => 2))
    const sent = w.emulator.requests.map((r) => r.raw.toString())
    expect(new Set(sent).size).toBe(later.length)
  })

  it("starts a new segment where the API does not accept the beginning any more (P12)", async () => {
    w.emulator.script(
      say("One."),
      fail(
        400,
        "invalid_request_error",
        "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation.",
      ),
      say("Two."),
    )
    await w.ask("prefix", "first")
    expect((await w.ask("prefix", "second")).answer.text).toBe("Two.")
    expect(w.emulator.requests[2]!.request.messages.length).toBe(1)
  })

  it("starts a new segment where the conversation is too long or is refused as it is", async () => {
    for (const message of ["prompt is too long: 1000001 tokens", "messages.3: something nobody knows"]) {
      w.emulator.clear()
      w.emulator.script(say("One."), fail(400, "invalid_request_error", message), say("Two."))
      await w.ask(message, "first")
      expect((await w.ask(message, "second")).answer.text).toBe("Two.")
    }
  })

  it("gives up where the new segment is refused as well, and the next turn starts afresh", async () => {
    const refused = fail(400, "invalid_request_error", "messages.3: something nobody knows")
    w.emulator.script(refused, refused, say("Afresh."))
    expect((await w.ask("twice", "first")).answer.text).toMatch(/^I can not answer/)
    expect((await w.ask("twice", "second")).answer.text).toBe("Afresh.")
  })
})

describe("a model without a price", () => {
  it("is never called, and the room is told what to do (P10)", async () => {
    const w = await world({ model: "mystery-1" })
    const { answer } = await w.ask("price", "hello")
    expect(answer.text).toMatch(/mystery-1 has no price.*`prices`/)
    expect(w.emulator.requests.length).toBe(0)
    expect(
      await w.sql("select sum(reserved)::int as reserved, sum(spent)::int as spent from budget"),
    ).toEqual([{ reserved: 0, spent: 0 }])
    await w.dispose()
  })
})
