import { afterAll, beforeAll, expect, it } from "vitest"
import { type Office, office } from "../testing/Office.ts"

let here: Office
beforeAll(async () => {
  here = await office()
})
afterAll(() => here.dispose())

/** The cookie that a link becomes. */
const enter = async (link: string) => {
  const answer = await fetch(link, { headers: { "user-agent": "test" } })
  return { status: answer.status, cookie: String(answer.headers.get("set-cookie")).split(";")[0]! }
}
const as = async (cookie: string, method: string, path: string, body?: unknown) => {
  const answer = await fetch(here.url + path, {
    method,
    headers: { cookie, "content-type": "application/json", "sec-fetch-site": "same-origin" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const said = (await answer.json()) as Record<string, unknown>
  return { ...said, status: answer.status } as Record<string, unknown> & { readonly status: number }
}

it("the first link makes the owner, once; a restart ends no session", async () => {
  const { url } = await here.api("POST /api/link")
  const { cookie } = await enter(url)
  expect((await enter(url)).status).toBe(401)
  expect(await as(cookie, "GET", "/api/me")).toMatchObject({ id: "owner", role: "owner" })
  const { people } = await here.api("GET /api/people")
  expect(people).toMatchObject([{ name: "Owner", role: "owner", accounts: [{ user: "owner" }] }])
  // Only the hash is kept, and it is in Postgres: another process knows the session.
  const [row] = await here.sql<{ hash: string }>("select hash from session limit 1")
  expect(cookie).not.toContain(row!.hash)
  const other = await office({ beside: { ...here, emulator: here.emulator } })
  try {
    const name = cookie.split("=")[1]!
    const port = new URL(other.url).port
    const answer = await fetch(`${other.url}/api/me`, { headers: { cookie: `troupe_${port}=${name}` } })
    expect(answer.status).toBe(200)
  } finally {
    await other.dispose()
  }
})

it("each role may do what the API says of it, and no more", async () => {
  const cookies: Record<string, string> = {}
  for (const role of ["viewer", "member", "operator"] as const) {
    const { link } = await here.api("POST /api/people", { body: { name: `A ${role}`, role } })
    cookies[role] = (await enter(link)).cookie
  }
  const { id } = await here.api("POST /api/rooms", { body: { title: "Roles" } })
  const tries: ReadonlyArray<readonly [string, string, unknown, least: string]> = [
    ["GET", "/api/rooms", undefined, "viewer"],
    ["GET", `/api/rooms/${id}/events`, undefined, "viewer"],
    ["POST", `/api/rooms/${id}/say`, { id: "x", text: "stop" }, "member"],
    ["POST", "/api/rooms", { title: "Another" }, "member"],
    ["POST", "/api/apply", {}, "operator"],
    ["GET", "/api/audit", undefined, "operator"],
    ["POST", "/api/people", { name: "Eve", role: "owner" }, "owner"],
    ["POST", "/api/link", {}, "owner"],
  ]
  const ranks = ["viewer", "member", "operator", "owner"]
  for (const [role, cookie] of Object.entries(cookies))
    for (const [method, path, body, least] of tries) {
      const { status } = await as(cookie, method, path, body)
      const may = ranks.indexOf(role) >= ranks.indexOf(least)
      expect([role, path, may ? status < 300 : status]).toEqual([role, path, may ? true : 403])
    }
  // Words carry the person, not a name that anybody can choose.
  const { events } = await here.api("GET /api/rooms/:id/events", { params: { id } })
  const { people } = await here.api("GET /api/people")
  const member = people.find((p) => p.role === "member")!
  expect(events.filter((e) => e.kind === "message").map((e) => [e.author.id, e.author.name])).toContainEqual([
    member.id,
    "A member",
  ])
})

it("a changed role holds from the next request on, and the last owner stays one", async () => {
  const { link, id } = await here.api("POST /api/people", { body: { name: "Mo", role: "operator" } })
  const { cookie } = await enter(link)
  expect((await as(cookie, "GET", "/api/audit")).status).toBe(200)
  await here.api("PATCH /api/people/:id", { params: { id }, body: { role: "viewer" } })
  expect((await as(cookie, "GET", "/api/audit")).status).toBe(403)
  const { people } = await here.api("GET /api/people")
  const owner = people.find((p) => p.role === "owner")!
  for (const answer of [
    await here.api("PATCH /api/people/:id", { params: { id: owner.id }, body: { role: "viewer" } }),
    await here.api("DELETE /api/people/:id", { params: { id: owner.id } }),
  ])
    expect(answer).toMatchObject({ status: 409, error: expect.stringContaining("last owner") as string })
  expect(await here.api("DELETE /api/people/:id", { params: { id } })).toEqual({ removed: true })
  expect((await as(cookie, "GET", "/api/rooms")).status).toBe(401)
})

it("a token does no more than it was made for, and ends when it is dropped", async () => {
  const { url } = await here.api("POST /api/link")
  const { cookie } = await enter(url)
  const made = await as(cookie, "POST", "/api/tokens", { name: "a script", role: "viewer", days: 1 })
  expect(made.status).toBe(201)
  const token = String(made["token"])
  expect((await here.api("GET /api/rooms", {}, token)).status).toBeUndefined()
  expect(await here.api("POST /api/rooms", { body: { title: "No" } }, token)).toMatchObject({ status: 403 })
  const listed = JSON.stringify(await here.api("GET /api/tokens"))
  expect(listed).toContain("a script")
  expect(listed).not.toContain(token)
  await here.api("DELETE /api/tokens/:id", { params: { id: String(made["id"]) } })
  expect((await here.api("GET /api/rooms", {}, token)).status).toBe(401)
})

it("what is dangerous needs a fresh proof that it is the person", async () => {
  const { url } = await here.api("POST /api/link")
  const { cookie } = await enter(url)
  await here.sql("update session set proved_at = now() - interval '11 minutes'")
  const body = { name: "stolen", role: "owner", days: null }
  expect(await as(cookie, "POST", "/api/tokens", body)).toMatchObject({
    status: 403,
    error: expect.stringContaining("npx troupe link") as string,
  })
  expect((await as(cookie, "GET", "/api/rooms")).status).toBe(200)
})

it("a session ends when it is idle, however it is used before", async () => {
  const { url } = await here.api("POST /api/link")
  const { cookie } = await enter(url)
  await here.sql("update session set seen_at = now() - interval '29 minutes'")
  expect((await as(cookie, "GET", "/api/me")).status).toBe(200)
  await here.sql("update session set seen_at = now() - interval '31 minutes'")
  expect((await as(cookie, "GET", "/api/me")).status).toBe(401)
})

it("every change is in the audit log, in a chain that shows when it was changed", async () => {
  const { entries, broken } = await here.api("GET /api/audit")
  expect(broken).toBeNull()
  const actions = entries.map((e) => e.action)
  for (const action of ["people.enter", "people.add", "people.change", "people.remove", "people.newToken"])
    expect(actions).toContain(action)
  expect(entries.map((e) => e.n)).toEqual(entries.map((_, i) => entries[0]!.n - i))
  expect(JSON.stringify(entries)).not.toContain("trp_")
  await expect(here.sql("update audit set action = 'x' where n = 2")).rejects.toThrow("append-only")
  await expect(here.sql("delete from audit where n = 2")).rejects.toThrow("append-only")
  // Whoever takes the trigger away is found by the chain.
  await here.sql("alter table audit disable trigger audit_append_only")
  await here.sql(`update audit set who = '{"id":"x","name":"Nobody","via":"page"}' where n = 2`)
  expect((await here.api("GET /api/audit")).broken).toBe(2)
  await here.sql("delete from audit where n = 2")
  expect((await here.api("GET /api/audit")).broken).toBe(3)
})
