/** The emulator keeps GitHub's rules, so that what passes here is not refused there. */
import * as Effect from "effect/Effect"
import { createHmac, createSign } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { it } from "@effect/vitest"
import { describe, expect } from "vitest"
import { GithubEmulator, type App } from "./index.ts"

const opened = Effect.gen(function* () {
  const gh = yield* GithubEmulator.start()
  const acme = gh.organization("acme")
  const eve = gh.person("eve")
  const repo = gh.repo(acme, "web")
  const app = gh.app({ slug: "app", permissions: { issues: "write", metadata: "read" } })
  const installation = gh.install(app, [repo])
  const jwt = (of: App, claims: object) => {
    const text = [{ alg: "RS256" }, claims]
      .map((c) => Buffer.from(JSON.stringify(c)).toString("base64url"))
      .join(".")
    return `${text}.${createSign("RSA-SHA256").update(text).sign(of.privateKey, "base64url")}`
  }
  const now = Math.floor(Date.now() / 1000)
  const call = (method: string, path: string, credential: string, body?: object) =>
    Effect.promise(async () => {
      const response = await fetch(`${gh.apiUrl}${path}`, {
        method,
        redirect: "manual",
        headers: { authorization: `Bearer ${credential}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return {
        status: response.status,
        headers: response.headers,
        body: (text === "" ? null : JSON.parse(text)) as unknown,
      }
    })
  const mint = (body: object = {}) =>
    Effect.map(
      call(
        "POST",
        `/app/installations/${installation.id}/access_tokens`,
        jwt(app, { iss: app.id, iat: now - 60, exp: now + 500 }),
        body,
      ),
      (r) => r as { status: number; body: { token: string; permissions: object } },
    )
  return { gh, eve, repo, app, jwt, now, call, mint }
})

const live = (name: string, body: (s: Effect.Success<typeof opened>) => Effect.Effect<unknown, unknown>) =>
  it.live(name, () => Effect.scoped(Effect.flatMap(opened, body)))

describe("the emulated GitHub", () => {
  live("knows an App by a token that it signed, that is short and of now", ({ app, jwt, now, call, gh }) =>
    Effect.gen(function* () {
      const status = (token: string) => Effect.map(call("GET", "/app", token), (r) => r.status)
      expect(yield* status(jwt(app, { iss: String(app.id), iat: now - 60, exp: now + 540 }))).toBe(200)
      expect(yield* status(jwt(app, { iss: app.id, iat: now - 60, exp: now + 700 }))).toBe(401)
      expect(yield* status(jwt(app, { iss: app.id, iat: now - 900, exp: now - 300 }))).toBe(401)
      expect(yield* status(jwt(app, { iss: app.id, iat: now + 120, exp: now + 540 }))).toBe(401)
      expect(yield* status(jwt(gh.app({ slug: "b" }), { iss: 1, iat: now, exp: now + 60 }))).toBe(401)
      expect(yield* status(`${jwt(app, { iss: app.id, iat: now, exp: now + 60 }).slice(0, -6)}aaaaaa`)).toBe(
        401,
      )
    }),
  )

  live("gives tokens that can do what was asked for, and ends them", ({ gh, repo, eve, call, mint }) =>
    Effect.gen(function* () {
      gh.openIssue(repo, eve, "T")
      const read = (yield* mint({ permissions: { issues: "read" } })).body.token
      const path = "/repos/acme/web/issues"
      expect((yield* call("GET", path, read)).status).toBe(200)
      expect((yield* call("POST", path, read, { title: "x" })).status).toBe(403)
      expect((yield* call("GET", "/repos/acme/other/issues", read)).status).toBe(404)
      expect((yield* mint({ permissions: { contents: "write" } })).status).toBe(422)
      expect((yield* mint({ repository_ids: [999_999] })).status).toBe(422)
      gh.expireTokens()
      expect((yield* call("GET", path, read)).status).toBe(401)
    }),
  )

  live("signs webhooks over the bytes, tries once, and sends again when it is asked to", (s) =>
    Effect.gen(function* () {
      const got: Array<{ readonly signature: string; readonly guid: string; readonly body: Buffer }> = []
      let status = 500
      const server = createServer((request, response) => {
        const chunks: Array<Buffer> = []
        request.on("data", (chunk: Buffer) => chunks.push(chunk))
        request.on("end", () => {
          got.push({
            signature: String(request.headers["x-hub-signature-256"]),
            guid: String(request.headers["x-github-delivery"]),
            body: Buffer.concat(chunks),
          })
          response.writeHead(status).end()
        })
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((done) => void server.listen(0, "127.0.0.1", () => done(Effect.void))),
        () => Effect.sync(() => void server.close()),
      )
      s.gh.hook(s.app, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      s.gh.openIssue(s.repo, s.eve, "Ünï")
      yield* s.gh.idle
      expect(got).toHaveLength(1)
      const expected = createHmac("sha256", s.app.webhookSecret).update(got[0]!.body).digest("hex")
      expect(got[0]!.signature).toBe(`sha256=${expected}`)
      const token = s.jwt(s.app, { iss: s.app.id, iat: s.now - 60, exp: s.now + 500 })
      const list = yield* s.call("GET", "/app/hook/deliveries", token)
      const [first] = list.body as ReadonlyArray<{ id: number; guid: string; status_code: number }>
      expect(first).toMatchObject({ guid: got[0]!.guid, status_code: 500 })
      status = 200
      yield* s.call("POST", `/app/hook/deliveries/${first!.id}/attempts`, token)
      yield* s.gh.waitFor("it to be sent again", () => got.length === 2)
      expect(got[1]!.guid).toBe(got[0]!.guid)
    }).pipe(Effect.scoped),
  )

  live("refuses too much new content, and words that are too long", ({ gh, repo, eve, call, mint }) =>
    Effect.gen(function* () {
      gh.openIssue(repo, eve, "T")
      const { token } = (yield* mint()).body
      const say = (body: string) => call("POST", "/repos/acme/web/issues/1/comments", token, { body })
      expect((yield* say("x".repeat(65_536))).status).toBe(201)
      expect((yield* say("x".repeat(65_537))).status).toBe(422)
      gh.limits({ perMinute: 2, retryAfter: 7 })
      yield* say("a")
      yield* say("b")
      const refused = yield* say("c")
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([403, "7"])
    }),
  )

  live("redirects what moved", ({ gh, repo, eve, call, mint }) =>
    Effect.gen(function* () {
      const issue = gh.openIssue(repo, eve, "T")
      const { token } = (yield* mint()).body
      gh.rename(repo, "website")
      expect((yield* call("GET", "/repos/acme/web/issues/1", token)).status).toBe(301)
      expect((yield* call("GET", "/repos/acme/website/issues/1", token)).status).toBe(200)
      gh.transfer(issue, eve, gh.repo(gh.organization("other"), "place"))
      expect((yield* call("GET", "/repos/acme/website/issues/1", token)).status).toBe(301)
    }),
  )
})
