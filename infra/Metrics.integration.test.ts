import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import { say } from "./emulators/anthropic/index.ts"
import { metrics } from "./Metrics.ts"
import { world } from "./testing/World.ts"

it("tells what waits, what was handled and what was spent, as Prometheus reads it", async () => {
  const w = await world()
  w.emulator.script(say("Four."))
  await w.ask("sums", "what is 2 + 2?")
  const text = await w.run(Effect.flatten(metrics))
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1])
  expect(value("troupe_bus_connected")).toBe(1)
  expect(value("troupe_actors")).toBeGreaterThanOrEqual(2)
  expect(value("troupe_actor_messages_total")).toBeGreaterThan(0)
  expect(value("troupe_turns_running")).toBe(0)
  expect(value("troupe_budget_spent_dollars_total")).toBeGreaterThan(0)
  expect(value("troupe_budget_reserved_dollars")).toBe(0)
  for (const line of text.trim().split("\n"))
    expect(line).toMatch(/^(# (HELP|TYPE) troupe_\w+ .+|troupe_\w+ [\d.e+-]+)$/)
  await w.dispose()
})
