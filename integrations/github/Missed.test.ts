/** What was said while nobody listened. */
import * as Effect from "effect/Effect"
import { it } from "@effect/vitest"
import { describe, expect } from "vitest"
import { Hooks } from "../../runtime/door/Hooks.ts"
import { ada, openDoor, scene, testRoom } from "./testRoom.ts"

const done = (s: ReturnType<typeof testRoom>) =>
  [...s.inbox.keys()].filter((id) => id.endsWith("/done")).length

describe("what was missed", () => {
  it.live("500 events of two hours down are all heard, once, in the order of their rooms", () =>
    Effect.gen(function* () {
      const given = yield* scene()
      const { gh, eve, repo } = given
      gh.silence(true)
      const issues = Array.from({ length: 10 }, (_, i) => gh.openIssue(repo, eve, `Issue ${i}`, "@ada"))
      for (let i = 0; i < 490; i++) gh.comment(issues[i % 10]!, eve, `@ada number ${i}`)
      const kit = testRoom()
      kit.room.lastAt = Date.now() - 7_200_000
      kit.room.madeAt = 0
      const s = yield* openDoor(given, {}, kit)
      yield* s.room.until(() => done(kit) >= 500, "500 deliveries to be worked out")
      expect(s.said).toHaveLength(500)
      expect(s.said.every((m) => m.mentions[0] === ada.id)).toBe(true)
      for (const issue of issues) {
        const numbers = s.said
          .filter((m) => m.channel === `${repo.id}/${issue.number}`)
          .flatMap((m) => m.text.match(/number (\d+)/)?.[1] ?? [])
          .map(Number)
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
        expect(numbers).toHaveLength(49)
      }
    }).pipe(Effect.scoped, Effect.provide(Hooks.layer)),
  )

  it.live("what GitHub never sent at all is found by time, and what came is not said again", () =>
    Effect.gen(function* () {
      const given = yield* scene()
      const { gh, eve, repo, app } = given
      gh.silence(true)
      const before = gh.openIssue(repo, eve, "Heard", "@ada")
      gh.comment(before, eve, "@ada heard")
      const sent = app.deliveries.length
      gh.openIssue(repo, eve, "Never sent", "@ada")
      gh.comment(before, eve, "@ada never sent")
      app.deliveries.length = sent
      const kit = testRoom()
      kit.room.lastAt = Date.now() - 60_000
      kit.room.madeAt = 0
      const s = yield* openDoor(given, {}, kit)
      yield* s.room.until(() => s.said.length >= 4 && done(kit) >= 4, "everything to be said")
      expect(s.texts().toSorted()).toEqual([
        "# Heard\n\n@ada",
        "# Never sent\n\n@ada",
        "@ada heard",
        "@ada never sent",
      ])
    }).pipe(Effect.scoped, Effect.provide(Hooks.layer)),
  )

  it.live("a first start answers nothing that was said before it", () =>
    Effect.gen(function* () {
      const given = yield* scene()
      const { gh, eve, repo } = given
      const old = gh.openIssue(repo, eve, "Old", "@ada")
      for (const d of given.app.deliveries) Object.assign(d, { at: "2026-01-01T00:00:00Z" })
      Object.assign(old, { createdAt: "2026-01-01T00:00:00Z", updatedAt: "2026-01-01T00:00:00Z" })
      const s = yield* openDoor(given)
      yield* s.room.until(() => s.states.some((x) => x._tag === "connected"), "to be connected")
      yield* gh.waitFor(
        "everything to be looked through",
        () => gh.calls("GET /repos/{owner}/{repo}/issues/comments") > 0,
      )
      expect(s.said).toEqual([])
    }).pipe(Effect.scoped, Effect.provide(Hooks.layer)),
  )

  it.live("deliveries that a dead process had not worked out are worked out at the start", () =>
    Effect.gen(function* () {
      const given = yield* scene()
      const { gh, eve, repo, app } = given
      gh.silence(true)
      gh.openIssue(repo, eve, "Waiting", "@ada")
      const [delivery] = app.deliveries
      const kit = testRoom()
      const { deliveryOf } = yield* Effect.promise(() => import("./Delivery.ts"))
      const taken = deliveryOf(delivery!.guid, "issues", JSON.parse(delivery!.payload))!
      yield* kit.services.accept([{ door: "door1" as never, externalId: taken.guid, raw: taken.raw }])
      app.deliveries.length = 0
      const s = yield* openDoor(given, {}, kit)
      yield* s.room.until(() => s.said.length === 1, "it to be said")
      expect(s.said[0]).toMatchObject({ text: "# Waiting\n\n@ada", mentions: [ada.id] })
    }).pipe(Effect.scoped, Effect.provide(Hooks.layer)),
  )
})
