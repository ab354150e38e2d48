/** The App and its tokens, against GitHub's own clock. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { it } from "@effect/vitest"
import { createPrivateKey } from "node:crypto"
import { describe, expect } from "vitest"
import { privateKeyOf, TokenCache } from "./AppAuth.ts"
import { Clocks } from "./Clocks.ts"
import { gitRootOf, makeGithubApi } from "./GithubApi.ts"
import { GithubError, verdictOf } from "./GithubError.ts"
import { Pace } from "./Pace.ts"
import { scene } from "./testRoom.ts"

const connected = Effect.fnUntraced(function* (options: Parameters<typeof scene>[0] = {}) {
  const s = yield* scene(options)
  const key = createPrivateKey(s.app.privateKey)
  const api = yield* makeGithubApi({ appId: String(s.app.id), key, apiUrl: s.gh.apiUrl })
  const repository = (yield* api.repositories.find(s.repo.id))!
  return { ...s, api, repository }
})

const minting = "POST /app/installations/{installation_id}/access_tokens"

describe("an App", () => {
  for (const minutes of [-60 * 24 * 400, -61, 61])
    it.live(
      `is known although GitHub's clock is ${minutes} minutes off ours, and asks for a token once`,
      () =>
        Effect.gen(function* () {
          const { gh, api, repository } = yield* connected({ skewMs: minutes * 60_000 })
          const before = gh.calls(minting)
          for (let i = 0; i < 3; i++)
            yield* api.inRepository(repository, { issues: "read" }, "GET /repos/{owner}/{repo}/issues", {})
          expect(gh.calls(minting) - before).toBe(1)
        }).pipe(Effect.scoped),
    )

  it.live("has tokens for one repository and just what a call needs", () =>
    Effect.gen(function* () {
      const { gh, acme, app, api, repository } = yield* connected()
      const other = gh.repo(acme, "other")
      gh.install(app, [other])
      yield* api.inRepository(repository, { issues: "read" }, "GET /repos/{owner}/{repo}/issues", {})
      const token = [...gh.world.tokens.values()].at(-1)!
      expect([...token.repos].map((r) => r.name)).toEqual(["web"])
      expect(token.permissions).toEqual({ metadata: "read", issues: "read" })
      const wrong = yield* Effect.flip(
        api.inRepository(repository, { issues: "read" }, "POST /repos/{owner}/{repo}/issues", { title: "x" }),
      )
      expect(verdictOf(wrong)._tag).toBe("gone")
      expect(token.token.length).toBeGreaterThan(500)
    }).pipe(Effect.scoped),
  )

  it("renews a token ten minutes before it ends, however long it is and whoever sets our clock", () => {
    let [wall, steady] = [1_000_000, 0]
    const clocks = new Clocks(
      () => wall,
      () => steady,
    )
    clocks.learn("Tue, 24 Nov 2026 12:00:00 GMT")
    const tokens = new TokenCache(clocks)
    const token = Redacted.make("ghs_".padEnd(2_000, "x"))
    tokens.keep("a", token, "2026-11-24T13:00:00Z")
    wall += 400 * 86_400_000
    steady += 50 * 60_000 - 1
    expect(tokens.get("a")).toBe(token)
    steady += 1
    expect(tokens.get("a")).toBeUndefined()
    tokens.keep("b", token, new Date(clocks.now() + 60_000).toISOString())
    steady += 49_999
    expect(tokens.get("b")).toBe(token)
    steady += 1
    expect(tokens.get("b")).toBeUndefined()
  })

  it("takes its key as a file, in one line, or in base64, and no other", () => {
    const pem = "-----BEGIN"
    expect(privateKeyOf(Redacted.make(pem))._tag).toBe("Failure")
    return Effect.runPromise(
      Effect.scoped(
        Effect.map(scene(), ({ app }) => {
          for (const form of [
            app.privateKey,
            app.privateKey.replaceAll("\n", "\\n"),
            Buffer.from(app.privateKey).toString("base64"),
          ])
            expect(privateKeyOf(Redacted.make(form))._tag).toBe("Success")
        }),
      ),
    )
  })
})

describe("what GitHub answers", () => {
  const error = (status: number, message: string, afterMs: number | null = null) =>
    new GithubError({ route: "x", status, message, afterMs })

  it("says what to do", () => {
    expect(verdictOf(error(403, "You have exceeded a secondary rate limit"))).toEqual({
      _tag: "limited",
      afterMs: 60_000,
    })
    expect(verdictOf(error(429, "Too many requests", 7_000))).toEqual({ _tag: "limited", afterMs: 7_000 })
    expect(verdictOf(error(403, "Resource not accessible by integration"))._tag).toBe("gone")
    expect(verdictOf(error(401, "Bad credentials"))._tag).toBe("refused")
    expect(verdictOf(error(0, "reset"))._tag).toBe("retry")
    expect(verdictOf(error(502, "Bad gateway"))._tag).toBe("retry")
    expect(verdictOf(error(422, "Validation Failed"))._tag).toBe("gone")
  })

  it("reads are tried again, writes are not", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const { gh, api, repository } = yield* connected()
        const reading = "GET /repos/{owner}/{repo}/issues"
        gh.fault(reading, { kind: "refuse" }, 2)
        yield* api.inRepository(repository, { issues: "read" }, reading, {})
        const writing = "POST /repos/{owner}/{repo}/issues"
        gh.fault(writing, { kind: "error", status: 502, message: "Bad gateway" })
        yield* Effect.flip(api.inRepository(repository, { issues: "write" }, writing, { title: "x" }))
        expect(gh.calls(writing)).toBe(1)
      }).pipe(Effect.scoped),
    ))
})

describe("the pace", () => {
  it("allows 80 new things a minute and 500 an hour, an installation", () => {
    let now = 0
    const pace = new Pace(
      new Clocks(
        () => 0,
        () => now,
      ),
    )
    for (let i = 0; i < 80; i++) expect(pace.take(1)).toBe(0)
    expect(pace.take(1)).toBe(60_000)
    expect(pace.take(2)).toBe(0)
    let made = 80
    while (now < 3_600_000 - 60_000) {
      now += 60_001
      while (pace.take(1) === 0) made++
    }
    expect(made).toBe(500)
    now = 3_600_001
    expect(pace.take(1)).toBe(0)
  })

  it("GitHub Enterprise has its repositories beside its API", () => {
    expect(gitRootOf("https://api.github.com")).toBe("https://github.com")
    expect(gitRootOf("https://hub.example/api/v3")).toBe("https://hub.example")
  })
})
