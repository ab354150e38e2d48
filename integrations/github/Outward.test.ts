/** What the App says, as it stands on GitHub. */
import * as Effect from "effect/Effect"
import { it } from "@effect/vitest"
import { describe, expect } from "vitest"
import type { SendError, Say } from "../../runtime/door/Outward.ts"
import { Hooks } from "../../runtime/door/Hooks.ts"
import { newId, type AgentId, type TurnId } from "../../runtime/room/Id.ts"
import { openDoor, scene, type OpenDoor } from "./testRoom.ts"

const posting = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments"

const live = (name: string, body: (s: OpenDoor) => Effect.Effect<unknown, unknown>) =>
  it.live(name, () =>
    Effect.flatMap(scene(), (given) => openDoor(given)).pipe(
      Effect.tap((s) => s.connected.identity),
      Effect.flatMap(body),
      Effect.scoped,
      Effect.provide(Hooks.layer),
    ),
  )

const sayIn = (s: OpenDoor, number: number, text: string, more: Partial<Say> = {}): Say => ({
  channel: `${s.repo.id}/${number}`,
  replyTo: null,
  text,
  signature: "",
  agent: "agentada" as AgentId,
  turn: newId<TurnId>(Date.now()),
  part: 0,
  final: true,
  ...more,
})
const refused = (effect: Effect.Effect<unknown, SendError>) => Effect.flip(effect)

describe("a comment (P8)", () => {
  live("is created once with its mark, then edited", (s) =>
    Effect.gen(function* () {
      const issue = s.gh.openIssue(s.repo, s.eve, "T")
      const first = sayIn(s, 1, "…", { final: false })
      const platformId = yield* s.outward.create(first)
      expect(issue.comments[0]!.body).toBe(`Working on it …\n\n<!-- troupe ${first.turn}/0 @ada -->`)
      yield* s.outward.edit({ ...first, text: "Done.", final: true, platformId })
      expect(issue.comments.map((c) => c.body)).toEqual([`Done.\n\n<!-- troupe ${first.turn}/0 @ada -->`])
    }),
  )

  live("that was accepted while the answer was lost is found again, and brought up to date", (s) =>
    Effect.gen(function* () {
      const issue = s.gh.openIssue(s.repo, s.eve, "T")
      const words = sayIn(s, 1, "first")
      s.gh.fault(posting, { kind: "drop" })
      expect((yield* refused(s.outward.create(words))).verdict).toBe("retry")
      const id = yield* s.outward.create({ ...words, text: "second" })
      expect(id).toBe(`comment/${issue.comments[0]!.id}`)
      expect(issue.comments.map((c) => c.body.split("\n")[0])).toEqual(["second"])
    }),
  )

  live("of two with one mark the higher goes; a mark of somebody else is not ours", (s) =>
    Effect.gen(function* () {
      const issue = s.gh.openIssue(s.repo, s.eve, "T")
      const words = sayIn(s, 1, "words")
      yield* s.outward.create(words)
      const [mine] = issue.comments
      const forged = s.gh.comment(issue, s.eve, mine!.body)
      issue.comments.push({ ...mine!, id: mine!.id + 1_000 })
      expect(yield* s.outward.create(words)).toBe(`comment/${mine!.id}`)
      expect(issue.comments.map((c) => c.id)).toEqual([mine!.id, forged.id])
    }),
  )

  live("that somebody deleted is lost, in a deleted repository or a moved issue it can never be said", (s) =>
    Effect.gen(function* () {
      const issue = s.gh.openIssue(s.repo, s.eve, "T")
      const words = sayIn(s, 1, "words")
      const platformId = yield* s.outward.create(words)
      issue.comments.length = 0
      expect((yield* refused(s.outward.edit({ ...words, platformId }))).verdict).toBe("lost")
      const moved = s.gh.openIssue(s.repo, s.eve, "Moved")
      const other = s.gh.repo(s.acme, "other")
      s.gh.transfer(moved, s.eve, other)
      expect((yield* refused(s.outward.create(sayIn(s, 2, "words")))).verdict).toBe("gone")
      s.gh.remove(s.repo)
      expect((yield* refused(s.outward.create(sayIn(s, 1, "more")))).verdict).toBe("gone")
    }),
  )

  live("finds its repository under a new name", (s) =>
    Effect.gen(function* () {
      const issue = s.gh.openIssue(s.repo, s.eve, "T")
      yield* s.outward.create(sayIn(s, 1, "one"))
      s.gh.rename(s.repo, "website")
      yield* s.outward.create(sayIn(s, 1, "two"))
      expect(issue.comments).toHaveLength(2)
    }),
  )

  live("in a review stands in its thread, also as an answer to an answer", (s) =>
    Effect.gen(function* () {
      s.gh.push(s.repo, s.eve, "topic", { "main.js": "one\nTWO\n" })
      const pull = s.gh.openPull(s.repo, s.eve, { title: "P", head: "topic" })
      const first = s.gh.reviewComment(pull, s.eve, "main.js", 2, "why?")
      const reply = s.gh.reviewComment(pull, s.eve, "main.js", 2, "why??", first.id)
      const words = sayIn(s, 1, "because", { replyTo: `review_comment/${reply.id}` })
      s.gh.fault("POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies", {
        kind: "drop",
      })
      expect((yield* refused(s.outward.create(words))).verdict).toBe("retry")
      const id = yield* s.outward.create(words)
      const said = pull.pull!.threads.filter((c) => c.app === s.app)
      expect(said).toHaveLength(1)
      expect(said[0]).toMatchObject({ replyTo: first.id })
      yield* s.outward.edit({ ...words, text: "so", platformId: id })
      expect(said[0]!.body).toMatch(/^so\n/)
    }),
  )

  live("carries receipts, and tells how long GitHub's limits held it back", (s) =>
    Effect.gen(function* () {
      const issue = s.gh.openIssue(s.repo, s.eve, "T")
      s.kit.room.receipts = {
        tools: [
          { tool: "shell", summary: "npm `test`", ok: false, exitCode: 1, ms: 3_210 },
          { tool: "github_push", summary: "", ok: true, exitCode: null, ms: 40 },
        ],
        cost: 0.1234,
        ms: 65_000,
      }
      s.gh.limits({ perMinute: 0, retryAfter: 61 })
      const words = sayIn(s, 1, "Done.")
      const limited = yield* refused(s.outward.create(words))
      expect(limited).toMatchObject({ verdict: "retry", afterMs: 61_000, everywhere: true })
      s.gh.limits({})
      const pace = s.connected.api.pace
      expect(pace.left(s.connected.api.repositories.known(s.repo.id)!.installation)).toBeGreaterThan(50_000)
      const again = yield* refused(s.outward.create(words))
      expect(again.verdict).toBe("retry")
      expect(issue.comments).toEqual([])
    }),
  )

  live("too long for one is two, and together they are the source", (s) =>
    Effect.gen(function* () {
      const issue = s.gh.openIssue(s.repo, s.eve, "T")
      const text = Array.from({ length: 3_000 }, (_, i) => `Line ${i} of words and words.`).join("\n")
      const parts = s.outward.split(text)
      expect(parts).toHaveLength(2)
      const turn = newId<TurnId>(Date.now())
      for (const [part, words] of parts.entries()) yield* s.outward.create(sayIn(s, 1, words, { turn, part }))
      const said = issue.comments.map((c) => c.body.replace(/\n\n<!-- troupe \S+ @ada -->$/, ""))
      expect(said.join("")).toBe(text)
    }),
  )

  live("waits when GitHub asks without saying how long", (s) =>
    Effect.gen(function* () {
      s.gh.openIssue(s.repo, s.eve, "T")
      s.gh.limits({ perMinute: 0 })
      expect((yield* refused(s.outward.create(sayIn(s, 1, "x")))).afterMs).toBe(60_000)
      expect(s.gh.refusals()).toBe(1)
    }),
  )

  live("goes on with a new token when the old one has ended, or GitHub forgot it", (s) =>
    Effect.gen(function* () {
      const issue = s.gh.openIssue(s.repo, s.eve, "T")
      yield* s.outward.create(sayIn(s, 1, "one"))
      s.gh.expireTokens()
      yield* s.outward.create(sayIn(s, 1, "two"))
      expect(issue.comments).toHaveLength(2)
    }),
  )
})
