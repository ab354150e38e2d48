import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Bus, type AgentId, type ThreadId, type TurnId, type WorkspaceId } from "../../../runtime/index.ts"
import { live } from "./Live.ts"

const stage = Effect.gen(function* () {
  const told: Array<string> = []
  const words = yield* live({
    ws: "w" as WorkspaceId,
    thread: "t" as ThreadId,
    agent: "a" as AgentId,
    turn: "u" as TurnId,
    fence: 1,
  }).pipe(
    Effect.provideService(Bus, {
      tell: (_: string, payload: string) => void told.push((JSON.parse(payload) as { text: string }).text),
    } as unknown as Bus["Service"]),
  )
  return { told, ...words }
})

it.effect("gathers the first words for 25 ms and what follows for 50 ms", () =>
  Effect.gen(function* () {
    const { told, say } = yield* stage
    say("one ")
    yield* TestClock.adjust("20 millis")
    say("two ")
    expect(told).toEqual([])
    yield* TestClock.adjust("10 millis")
    say("three")
    expect(told).toEqual(["one two "])
    yield* TestClock.adjust("50 millis")
    expect(told).toEqual(["one two ", "three"])
  }),
)

it.effect("tells nothing of an answer that is complete, and all of it when more follows after all", () =>
  Effect.gen(function* () {
    const { told, say, hold } = yield* stage
    say("one ")
    hold()
    yield* TestClock.adjust("1 second")
    expect(told).toEqual([])
    say("two")
    yield* TestClock.adjust("25 millis")
    expect(told).toEqual(["one two"])
  }),
)
