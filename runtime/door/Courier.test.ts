import * as TestClock from "effect/testing/TestClock"
import { describe, expect, it } from "vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { BusMemory } from "../bus/BusMemory.ts"
import { Bus } from "../bus/Bus.ts"
import { liveSubject } from "../bus/Subject.ts"
import { Leases } from "../lease/Leases.ts"
import type { AgentId, DoorId, ThreadId, TurnId, WorkspaceId } from "../room/Id.ts"
import { Journal } from "../room/Journal.ts"
import { Roster } from "../room/Roster.ts"
import { Sql } from "../store/Sql.ts"
import { placeholder } from "./Letter.ts"
import { Courier } from "./Courier.ts"
import type { Outward } from "./Outward.ts"
import type { Parcel } from "./Parcel.ts"

const ws = "ws" as WorkspaceId
const parcel = (turn: string, over: Partial<Parcel> = {}): Parcel => ({
  turn: turn as TurnId,
  part: 0,
  door: "d" as DoorId,
  thread: "t" as ThreadId,
  agent: "a" as AgentId,
  channel: "c",
  replyTo: null,
  signature: "",
  platformId: null,
  text: null,
  ...over,
})

/** A courier that serves one door; what it reads from the outbox is given by hand, and held back on demand. */
const stage = Effect.gen(function* () {
  const calls: Array<string> = []
  const rows: Array<Parcel> = []
  const reading: { held: Deferred.Deferred<void> | undefined } = { held: undefined }
  let ids = 100
  const outward: Outward = {
    door: "d" as DoorId,
    create: (say) =>
      Effect.sync(() => {
        calls.push(`create ${say.text}`)
        return String(++ids)
      }),
    edit: (say) => Effect.sync(() => void calls.push(`edit ${say.platformId} ${say.text}`)),
    split: (text) => [text],
    progressEvery: () => 1000,
  }
  const services = Layer.mergeAll(
    Layer.succeed(Journal, {
      said: () => Effect.succeed({ written: true, text: null }),
      parts: () => Effect.void,
      delivered: () => Effect.succeed(true),
    } as unknown as Journal["Service"]),
    Layer.succeed(Leases, { fence: () => 1, holds: () => true } as unknown as Leases["Service"]),
    Layer.succeed(Sql, {
      hot: () =>
        Effect.suspend(() => {
          const snapshot = [...rows]
          const { held } = reading
          return Effect.as(held === undefined ? Effect.void : Deferred.await(held), snapshot)
        }),
    } as unknown as Sql["Service"]),
    Layer.succeed(Roster, { ws } as unknown as Roster["Service"]),
    BusMemory.layer,
  )
  const context = yield* Layer.build(Courier.layer.pipe(Layer.provideMerge(services)))
  const courier = yield* Effect.provideContext(Courier, context)
  const bus = yield* Effect.provideContext(Bus, context)
  yield* courier.serve(outward)
  const live = (turn: string, fence: number, n: number, text: string) =>
    bus.tell(liveSubject(ws, "t" as ThreadId, "a" as AgentId), JSON.stringify({ turn, fence, n, text }))
  return { calls, rows, reading, courier, live }
})

const pass = (ms = 0) =>
  TestClock.adjust(ms).pipe(
    Effect.andThen(
      Effect.repeat(
        Effect.andThen(
          Effect.yieldNow,
          Effect.promise(() => Promise.resolve()),
        ),
        { times: 50 },
      ),
    ),
  )
const test = (body: Effect.Effect<void, unknown, Scope.Scope>) =>
  Effect.runPromise(Effect.scoped(body).pipe(Effect.provide(TestClock.layer())))

describe("a courier (P8)", () => {
  it("says nothing from a row that ended while it was read", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.courier.send(parcel("u1"))
        yield* pass()
        s.rows.push(parcel("u1", { platformId: "101" }))
        s.reading.held = yield* Deferred.make<void>()
        yield* pass(10_000)
        s.courier.send(parcel("u1", { text: "hello" }))
        yield* pass()
        // What was read is of before the answer.
        yield* Deferred.succeed(s.reading.held, undefined)
        s.live("u1", 1, 1, "hel")
        yield* pass(2000)
        expect(s.calls).toEqual([`create ${placeholder}`, "edit 101 hello"])
      }),
    ))

  it("says no answer twice that is sent after it was said already", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.courier.send(parcel("u1", { platformId: "77", text: "hello" }))
        yield* pass()
        s.courier.send(parcel("u1", { text: "hello" }))
        yield* pass()
        expect(s.calls).toEqual(["edit 77 hello"])
      }),
    ))

  it("a channel that wakes late takes nothing from the one that has its name now", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.courier.send(parcel("u1"))
        yield* pass()
        // It will look again in 80 ms, when there is nothing left to say.
        s.live("u1", 1, 0, "hel")
        yield* pass(10)
        s.courier.send(parcel("u1", { text: "hello" }))
        yield* pass()
        s.courier.send(parcel("u2"))
        yield* pass(100)
        s.courier.send(parcel("u2", { text: "again" }))
        yield* pass()
        expect(s.calls).toEqual([
          `create ${placeholder}`,
          "edit 101 hello",
          `create ${placeholder}`,
          "edit 102 again",
        ])
      }),
    ))

  it("shows nothing of a process that lost the turn (P9)", () =>
    test(
      Effect.gen(function* () {
        const s = yield* stage
        s.courier.send(parcel("u1"))
        yield* pass()
        s.live("u1", 1, 0, "old words")
        s.live("u1", 2, 0, "new")
        s.live("u1", 1, 1, " that lag")
        s.live("u1", 2, 1, " words")
        yield* pass(1000)
        expect(s.calls).toEqual([`create ${placeholder}`, `edit 101 new words ${placeholder}`])
      }),
    ))
})
