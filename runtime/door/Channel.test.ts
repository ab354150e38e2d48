import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { describe, expect, it } from "vitest"
import type { AgentId, DoorId, ThreadId, TurnId } from "../room/Id.ts"
import type { Journal } from "../room/Journal.ts"
import { Channel } from "./Channel.ts"
import { placeholder } from "./Letter.ts"
import { Flood } from "./Flood.ts"
import type { Parcel } from "./Parcel.ts"
import { SendError, type Outward, type Say } from "./Outward.ts"

const parcel = (turn: string, over: Partial<Parcel> = {}): Parcel => ({
  turn: turn as TurnId,
  part: 0,
  door: "d" as DoorId,
  thread: "t" as ThreadId,
  agent: "a" as AgentId,
  channel: "c",
  replyTo: "5",
  signature: "",
  platformId: null,
  text: null,
  ...over,
})

const error = (verdict: SendError["verdict"], afterMs = 0, everywhere = false) =>
  new SendError({ verdict, afterMs, everywhere, message: verdict, cause: null })

/** A platform and a journal by hand: calls are noted in order, and fail when they are told to. */
const stageOf = (more: Partial<Outward>) =>
  Effect.gen(function* () {
    const calls: Array<string> = []
    const failures: Array<SendError> = []
    let ids = 100
    const attempt = (call: string) =>
      Effect.suspend(() => {
        calls.push(call)
        const failure = failures.shift()
        return failure === undefined ? Effect.void : Effect.fail(failure)
      })
    const outward: Outward = {
      door: "d" as DoorId,
      create: (say) => Effect.map(attempt(`create ${say.text}`), () => String(++ids)),
      edit: (say) => attempt(`edit ${say.platformId} ${say.text}`),
      split: (text) => (text.length <= 10 ? [text] : [text.slice(0, 10), text.slice(10)]),
      progressEvery: () => 1000,
      ...more,
    }
    const committed: Array<string> = []
    const journal = {
      said: (row: { turn: string; part: number; platform_id: string }) =>
        Effect.sync(() => {
          committed.push(`said ${row.turn}/${row.part} ${row.platform_id}`)
          return { written: true, text: null }
        }),
      parts: (rows: ReadonlyArray<{ turn: string; part: number; text: string }>) =>
        Effect.sync(() => void rows.forEach((r) => committed.push(`part ${r.turn}/${r.part} ${r.text}`))),
      delivered: (row: { turn: string; part: number; state: string }) =>
        Effect.sync(() => {
          committed.push(`${row.state} ${row.turn}/${row.part}`)
          return true
        }),
    } as unknown as Journal["Service"]
    const services = yield* Effect.context<never>()
    const clock = yield* Effect.clockWith(Effect.succeed)
    const flood = new Flood()
    const door = { mine: true }
    const make = () =>
      new Channel({
        outward,
        journal,
        fence: () => 1,
        mine: () => door.mine,
        flood,
        now: () => clock.currentTimeMillisUnsafe(),
        run: (effect) => void Effect.runForkWith(services)(effect),
        idle: () => calls.push("idle"),
        ended: () => {},
        settled: (turn, part) => committed.push(`settled ${turn}/${part}`),
      })
    return { calls, committed, failures, door, channel: make(), other: make() }
  })

const stage = stageOf({})

/** Lets everything that can run now run, and `ms` pass. */
const pass = (ms = 0) =>
  TestClock.adjust(ms).pipe(Effect.andThen(Effect.repeat(Effect.yieldNow, { times: 50 })))
const test = (body: Effect.Effect<void>) =>
  Effect.runPromise(Effect.scoped(body).pipe(Effect.provide(TestClock.layer())))

describe("a channel (P8)", () => {
  it("says a placeholder, commits its id, then edits the words into it: two calls", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.channel.take(parcel("u1"))
        yield* pass()
        s.channel.take(parcel("u1", { text: "hello" }))
        yield* pass()
        expect(s.calls).toEqual([`create ${placeholder}`, "edit 101 hello", "idle"])
        expect(s.committed).toEqual(["said u1/0 101", "done u1/0"])
      }),
    ))

  it("edits at once what was final before the placeholder had an id", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.channel.take(parcel("u1"))
        s.channel.take(parcel("u1", { text: "hello" }))
        yield* pass()
        expect(s.calls).toEqual([`create ${placeholder}`, "edit 101 hello", "idle"])
      }),
    ))

  it("a row whose id is known is only edited, never said again", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.channel.take(parcel("u1", { platformId: "77", text: "hello" }))
        yield* pass()
        expect(s.calls).toEqual(["edit 77 hello", "idle"])
      }),
    ))

  it("where there are buttons, running words carry one that stops them, final ones what they ask", () =>
    test(
      Effect.gen(function* () {
        const pressed: Array<unknown> = []
        const note = (say: Say) => Effect.sync(() => void pressed.push(say.actions?.map((a) => a.label)))
        const s = yield* stageOf({
          buttons: true,
          create: (say) => Effect.as(note(say), "101"),
          edit: note,
        })
        s.channel.take(parcel("u1"))
        yield* pass()
        s.channel.progress("u1" as TurnId, "so")
        yield* pass(100)
        s.channel.take(parcel("u1", { text: "hello" }))
        yield* pass()
        const ask = [{ label: "Approve", order: { verb: "approve" as const } }]
        s.channel.take(parcel("u1", { part: 1003, text: "May I?", actions: ask }))
        yield* pass()
        expect(pressed).toEqual([["Stop"], ["Stop"], undefined, undefined, ["Approve"]])
      }),
    ))

  it("answered questions lose their buttons after what must be said, and through a flood limit", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.failures.push(error("retry", 1000))
        const asked = parcel("u1", { part: 1003, platformId: "77", text: "May I?" })
        s.channel.settle(asked, "May I? Approved")
        s.channel.settle(asked, "May I? Approved")
        s.channel.take(parcel("u2", { platformId: "78", text: "hello" }))
        yield* pass()
        yield* pass(1000)
        expect(s.calls).toEqual([
          "edit 77 May I? Approved",
          "edit 78 hello",
          "edit 77 May I? Approved",
          "idle",
        ])
        expect(s.committed).toEqual(["done u2/0", "settled u1/1003"])
      }),
    ))

  it("a flood limit is a delay: the same words come after it, once", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.failures.push(error("retry", 5000))
        s.channel.take(parcel("u1", { platformId: "77", text: "hello" }))
        yield* pass()
        yield* pass(4999)
        expect(s.calls).toEqual(["edit 77 hello"])
        yield* pass(1)
        expect(s.calls).toEqual(["edit 77 hello", "edit 77 hello", "idle"])
        expect(s.committed).toEqual(["done u1/0"])
      }),
    ))

  it("a limit of the whole account holds for the other channels too", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.failures.push(error("retry", 3000, true))
        s.channel.take(parcel("u1", { platformId: "77", text: "one" }))
        yield* pass()
        s.other.take(parcel("u2", { platformId: "78", text: "two" }))
        yield* pass()
        expect(s.calls).toEqual(["edit 77 one"])
        yield* pass(3000)
        expect(s.calls.filter((c) => c.startsWith("edit")).length).toBe(3)
      }),
    ))

  it("final words go before placeholders, and placeholders before progress", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.failures.push(error("retry", 1000))
        s.channel.take(parcel("live", { platformId: "1" }))
        s.channel.progress("live" as TurnId, "thinking")
        s.channel.take(parcel("new"))
        yield* pass()
        s.channel.take(parcel("done", { platformId: "2", text: "final" }))
        yield* pass(1000)
        yield* pass(1000)
        expect(s.calls).toEqual([
          `create ${placeholder}`,
          "edit 2 final",
          `create ${placeholder}`,
          `edit 1 thinking ${placeholder}`,
        ])
      }),
    ))

  it("shows progress soon after the first words, then no more often than the platform likes", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.channel.take(parcel("u1", { platformId: "1" }))
        s.channel.progress("u1" as TurnId, "a")
        yield* pass()
        expect(s.calls).toEqual([])
        yield* pass(80)
        s.channel.progress("u1" as TurnId, "b")
        yield* pass(500)
        expect(s.calls).toEqual([`edit 1 a ${placeholder}`])
        yield* pass(500)
        expect(s.calls).toEqual([`edit 1 a ${placeholder}`, `edit 1 ab ${placeholder}`])
      }),
    ))

  it("cuts long words into parts that are rows before they are said", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.channel.take(parcel("u1", { platformId: "1", text: "0123456789abc" }))
        yield* pass()
        expect(s.calls).toEqual(["edit 1 0123456789", `create ${placeholder}`, "edit 101 abc", "idle"])
        expect(s.committed[0]).toBe("part u1/1 abc")
        expect(s.committed.filter((c) => c.startsWith("done")).toSorted()).toEqual(["done u1/0", "done u1/1"])
      }),
    ))

  it("says words in a new message when somebody deleted ours", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.failures.push(error("lost"))
        s.channel.take(parcel("u1", { platformId: "77", text: "hello" }))
        yield* pass()
        expect(s.calls).toEqual(["edit 77 hello", `create ${placeholder}`, "edit 101 hello", "idle"])
      }),
    ))

  it("closes the row of words that can never be said, and serves the next", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.failures.push(error("gone"))
        s.channel.take(parcel("u1", { platformId: "77", text: "hello" }))
        s.channel.take(parcel("u2", { platformId: "78", text: "next" }))
        yield* pass()
        expect(s.calls.filter((c) => c !== "idle")).toEqual(["edit 77 hello", "edit 78 next"])
        expect(s.committed.toSorted()).toEqual(["done u2/0", "gone u1/0"])
      }),
    ))

  it("says nothing while the door may be another process's, and goes on when it is ours again (P9)", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.door.mine = false
        s.channel.take(parcel("u1", { platformId: "77", text: "hello" }))
        yield* pass(3000)
        expect(s.calls).toEqual([])
        s.door.mine = true
        yield* pass(500)
        expect(s.calls).toEqual(["edit 77 hello", "idle"])
      }),
    ))

  it("says nothing more once it is closed", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.failures.push(error("retry", 1000))
        s.channel.take(parcel("u1", { platformId: "77", text: "hello" }))
        yield* pass()
        s.channel.close()
        yield* pass(5000)
        expect(s.calls.filter((c) => c !== "idle")).toEqual(["edit 77 hello"])
      }),
    ))

  it("shows what a turn says from the start when it is said anew", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.channel.take(parcel("u1", { platformId: "1" }))
        s.channel.progress("u1" as TurnId, "old wor")
        yield* pass(80)
        s.channel.progress("u1" as TurnId, "new", true)
        yield* pass(1000)
        expect(s.calls).toEqual([`edit 1 old wor ${placeholder}`, `edit 1 new ${placeholder}`])
      }),
    ))

  it("progress that fails is dropped, not repeated", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.failures.push(error("retry", 2000))
        s.channel.take(parcel("u1", { platformId: "1" }))
        s.channel.progress("u1" as TurnId, "a")
        yield* pass(80)
        yield* pass(10_000)
        expect(s.calls).toEqual([`edit 1 a ${placeholder}`])
      }),
    ))

  it("holds back the first words of a message where each one costs its readers, and says a short answer whole", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stageOf({ holdBack: 10_000 })
        s.channel.take(parcel("u1"))
        s.channel.progress("u1" as TurnId, "hel")
        yield* pass(9_000)
        expect(s.calls).toEqual([])
        s.channel.take(parcel("u1", { text: "hello" }))
        yield* pass()
        expect(s.calls).toEqual(["create hello", "idle"])
        expect(s.committed).toEqual(["said u1/0 101", "done u1/0"])
      }),
    ))

  it("a turn that takes longer shows that it works, and then no more often than the platform likes", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stageOf({ holdBack: 10_000 })
        s.channel.take(parcel("u1"))
        s.channel.progress("u1" as TurnId, "hel")
        yield* pass(10_000)
        expect(s.calls).toEqual([`create ${placeholder}`])
        yield* pass(1_000)
        expect(s.calls).toEqual([`create ${placeholder}`, `edit 101 hel ${placeholder}`])
      }),
    ))

  it("what is held back holds back nothing else", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stageOf({ holdBack: 10_000 })
        s.channel.take(parcel("u1"))
        s.channel.take(parcel("u2", { text: "now" }))
        s.channel.take(parcel("u3", { platformId: "7" }))
        s.channel.progress("u3" as TurnId, "working")
        yield* pass(100)
        expect(s.calls).toEqual(["create now", `edit 7 working ${placeholder}`])
      }),
    ))

  it("cuts long words that are said whole into parts too", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stageOf({ holdBack: 10_000 })
        s.channel.take(parcel("u1", { text: "0123456789abc" }))
        yield* pass()
        expect(s.calls).toEqual(["create 0123456789", "create abc", "idle"])
        expect(s.committed[0]).toBe("part u1/1 abc")
      }),
    ))
})
