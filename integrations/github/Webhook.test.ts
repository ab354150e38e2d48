import * as Effect from "effect/Effect"
import { it } from "@effect/vitest"
import * as fc from "fast-check"
import { createHmac } from "node:crypto"
import { describe, expect } from "vitest"
import { Hooks } from "../../runtime/door/Hooks.ts"
import { openDoor, scene } from "./testRoom.ts"

const opened = Effect.fnUntraced(function* () {
  const s = yield* openDoor(yield* scene())
  const sign = (body: string | Uint8Array, secret = s.app.webhookSecret, algorithm = "sha256") =>
    `${algorithm}=${createHmac(algorithm, secret).update(body).digest("hex")}`
  let serial = 0
  const call = (body: string | Uint8Array, headers: Readonly<Record<string, string | undefined>> = {}) =>
    s.hook({
      headers: {
        "x-github-event": "issues",
        "x-github-delivery": `guid-${++serial}`,
        "x-hub-signature-256": sign(body),
        ...headers,
      },
      body: typeof body === "string" ? new TextEncoder().encode(body) : body,
    })
  const status = (...given: Parameters<typeof call>) => Effect.map(call(...given), (r) => r.status)
  const issue = JSON.stringify({
    action: "opened",
    issue: {
      id: 1,
      number: 1,
      title: "Ünï",
      body: "@ada",
      user: { id: s.eve.id, login: "eve", type: "User" },
      created_at: "2026-01-01T00:00:00Z",
      updated_at: "2026-01-01T00:00:00Z",
    },
    repository: { id: s.repo.id, full_name: "acme/web", private: true },
    sender: { id: s.eve.id, login: "eve", type: "User" },
    installation: { id: [...s.gh.world.installations.keys()][0] },
  })
  return { ...s, sign, call, status, issue }
})

const test = (name: string, body: Effect.Effect<void, unknown, never>) => it.live(name, () => body)
const run = (body: (s: Effect.Success<ReturnType<typeof opened>>) => Effect.Effect<void, unknown>) =>
  Effect.scoped(Effect.flatMap(opened(), body)).pipe(Effect.provide(Hooks.layer)) as Effect.Effect<
    void,
    unknown
  >

describe("GitHub's calls", () => {
  test(
    "are taken with the signature of their raw bytes and with no other",
    run((s) =>
      Effect.gen(function* () {
        const good = s.sign(s.issue)
        expect(yield* s.status(s.issue)).toBe(200)
        const refused: Readonly<Record<string, string | undefined>> = {
          missing: undefined,
          empty: "",
          truncated: good.slice(0, -1),
          longer: `${good}0`,
          "without its name": good.slice(7),
          "in capitals": good.toUpperCase(),
          "of another secret": s.sign(s.issue, "another"),
          "of SHA-1": s.sign(s.issue, s.app.webhookSecret, "sha1"),
          "of the same JSON written otherwise": s.sign(JSON.stringify(JSON.parse(s.issue), null, 1)),
        }
        for (const [what, signature] of Object.entries(refused))
          expect([what, yield* s.status(s.issue, { "x-hub-signature-256": signature })]).toEqual([what, 401])
        const inLatin = Buffer.from(s.issue, "latin1")
        expect(yield* s.status(inLatin, { "x-hub-signature-256": good })).toBe(401)
        yield* s.room.until(() => s.inbox.has("guid-1/done"), "the first to be worked out")
        expect([...s.inbox.keys()].filter((id) => id.endsWith("/done"))).toHaveLength(1)
      }),
    ),
  )

  test(
    "are answered only when they are committed, and are taken again when GitHub sends them again",
    run((s) =>
      Effect.gen(function* () {
        s.kit.room.down = true
        expect(yield* s.status(s.issue, { "x-github-delivery": "one" })).toBe(503)
        expect(s.inbox.size).toBe(0)
        s.kit.room.down = false
        expect(yield* s.status(s.issue, { "x-github-delivery": "one" })).toBe(200)
        expect(yield* s.status(s.issue, { "x-github-delivery": "one" })).toBe(200)
        yield* s.room.until(() => s.said.length === 1, "the issue to be said")
        // The same words by another delivery.
        expect(yield* s.status(s.issue, { "x-github-delivery": "two" })).toBe(200)
        yield* s.room.until(() => s.inbox.has("two/done"), "the second to be worked out")
        expect(s.said).toHaveLength(1)
      }),
    ),
  )

  test(
    "that are no deliveries are refused, and unknown events are kept without words",
    run((s) =>
      Effect.gen(function* () {
        expect(yield* s.status("{", {})).toBe(400)
        expect(yield* s.status("null")).toBe(400)
        expect(yield* s.status("{}", { "x-github-event": undefined })).toBe(400)
        expect(yield* s.status("{}", { "x-github-delivery": "" })).toBe(400)
        expect(yield* s.status('{"zen":"Keep it simple."}', { "x-github-event": "ping" })).toBe(200)
        expect(yield* s.status('{"action":"x"}', { "x-github-event": "star" })).toBe(200)
        expect(s.said).toEqual([])
      }),
    ),
  )

  test(
    "of any shape change nothing without a signature and break nothing with one",
    run((s) =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(
            fc.oneof(
              fc.json(),
              fc.string(),
              fc.constant(s.issue).chain((text) => fc.nat(text.length).map((n) => text.slice(0, n))),
            ),
            fc.constantFrom("issues", "issue_comment", "pull_request", "check_run", "x".repeat(80)),
            fc.boolean(),
            async (body, event, signed) => {
              const before = s.inbox.size
              const headers = {
                "x-github-event": event,
                ...(signed ? {} : { "x-hub-signature-256": "sha256=00" }),
              }
              const code = await Effect.runPromise(s.status(body, headers))
              expect(signed ? [200, 400] : [401]).toContain(code)
              if (!signed) expect(s.inbox.size).toBe(before)
            },
          ),
          { numRuns: 300, seed: 7 },
        ),
      ),
    ),
  )
})
