import * as Effect from "effect/Effect"
import { join } from "node:path"
import { expect, it } from "vitest"
import { blocksOf, say, useTool } from "../../infra/emulators/anthropic/index.ts"
import { startPostgres, testDirectory } from "../../infra/testing/index.ts"
import { answers, world } from "../../infra/testing/World.ts"
import type { ThreadId } from "../../runtime/index.ts"
import { ok, toolOf } from "./testing.ts"

it("turns survive a Postgres that dies in the middle and comes back: nothing is lost, nothing said twice", async () => {
  const postgres = await startPostgres(join(testDirectory(), "postgres"))
  const look = toolOf("look", () => Effect.as(Effect.sleep("150 millis"), ok("looked")), {
    idempotent: true,
    parallel: true,
  })
  const w = await world({ servers: { database: postgres.url }, tools: [look] })
  // Three rounds of tools, then an answer, whatever happened in between.
  w.emulator.respond((request) => {
    const rounds = request.messages
      .flatMap((m) => blocksOf(m.content))
      .filter((b) => b.type === "tool_result")
    return rounds.length < 3
      ? useTool("look", { n: rounds.length }, { delayMs: 100 })
      : say("Looked three times.", { delayMs: 100 })
  })
  const said = await w.accept(Array.from({ length: 8 }, (_, n) => w.inbound(`room ${n}`, "look")))
  await w.asked(12)
  await postgres.kill()
  // Whatever is under way now meets a store that is not there.
  await w.eventually("tools and calls to end without a store", () =>
    w.sql("select 1").then(
      () => undefined,
      () => true,
    ),
  )
  await postgres.restart()
  for (const { event, thread } of said) {
    const events = await w.watch(thread as ThreadId, (e) => e.kind === "turn" && e.state === "finished")
    const texts = events.flatMap((e) => (answers(e, event!) && e.kind === "message" ? [e.text] : []))
    expect(texts).toEqual(["Looked three times."])
  }
  const more = await w.ask("room 0", "again")
  expect(more.answer.text).toBe("Looked three times.")
  expect(w.emulator.refusals()).toEqual([])
  expect(await w.sql("select scope from budget where reserved <> 0")).toEqual([])
  expect(await w.sql("select state, count(*)::int as n from turn group by state")).toEqual([
    { state: "finished", n: 9 },
  ])
  // P11: an outage is nobody's fault, and counts as no crash.
  expect(await w.sql("select 1 from turn where attempts > 0")).toEqual([])
  await w.dispose()
  await postgres.stop()
})
