import { describe, expect, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Hooks, type ThreadId } from "../../runtime/index.ts"
import { roomStream } from "./RoomStream.ts"
import * as LiveRoomsMemory from "./LiveRoomsMemory.ts"
import { LiveRooms } from "./LiveRooms.ts"
import { WebServer } from "./WebServer.ts"
import * as ServerTest from "./ServerTest.ts"

const { ada, cliToken, enter, send, words } = ServerTest
const bearer = { authorization: `Bearer ${cliToken}` }
const jsonType = { "content-type": "application/json" }
const sameOrigin = { "sec-fetch-site": "same-origin" }
const parse = (text: string) => JSON.parse(text) as Record<string, unknown>

layer(ServerTest.layer(), { excludeTestServices: true })("the lock", (it) => {
  it.effect("shows nothing of the company without a session, only the page that asks for one", () =>
    Effect.gen(function* () {
      const { url } = yield* WebServer
      const front = yield* send(url)
      expect([front.status, front.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"])
      expect(front.text).not.toContain("ada")
      // A link from another program opens the page; what it shows, it asks for itself.
      const followed = yield* send(`${url}/rooms/0abc`, { headers: { "sec-fetch-site": "cross-site" } })
      expect([followed.status, followed.text]).toEqual([200, front.text])
      for (const path of [
        "/api/rooms",
        "/api/agents",
        "/api/status",
        "/api/rooms/x/stream",
        "/metrics",
        "/api/nothing",
      ]) {
        const answer = yield* send(url + path)
        expect([path, answer.status]).toEqual([path, 401])
        expect(parse(answer.text).error).toContain("npx troupe link")
      }
      const cookie = { cookie: `${cookieName(url)}=forged` }
      expect((yield* send(`${url}/api/rooms`, { headers: cookie })).status).toBe(401)
      expect((yield* send(`${url}/api/rooms`, { headers: { authorization: "Bearer wrong" } })).status).toBe(
        401,
      )
    }),
  )

  it.effect("opens by a link that works once", () =>
    Effect.gen(function* () {
      const { newLink, url } = yield* WebServer
      const link = yield* newLink
      const ahead = yield* send(link, { headers: { "sec-purpose": "prefetch;prerender" } })
      expect(ahead.status).toBe(503)
      const first = yield* send(link)
      expect(first.status).toBe(200)
      const set = String(first.headers["set-cookie"])
      expect(set).toContain("HttpOnly")
      expect(set).toContain("SameSite=Strict")
      const cookie = set.split(";")[0]!
      expect((yield* send(`${url}/api/rooms`, { headers: { cookie } })).status).toBe(200)
      const replay = yield* send(link)
      expect(replay.status).toBe(401)
      expect(replay.headers["set-cookie"]).toBeUndefined()
      expect((yield* send(`${url}/enter?token=guess`)).status).toBe(401)
      expect((yield* send(`${url}/enter`)).status).toBe(401)
    }),
  )

  it.effect("ends when the person leaves", () =>
    Effect.gen(function* () {
      const { url } = yield* WebServer
      const cookie = yield* enter
      const headers = { cookie, ...sameOrigin, ...jsonType }
      expect((yield* send(`${url}/api/leave`, { method: "POST", headers })).status).toBe(200)
      expect((yield* send(`${url}/api/rooms`, { headers: { cookie } })).status).toBe(401)
    }),
  )

  it.effect("refuses another Host", () =>
    Effect.gen(function* () {
      const { url } = yield* WebServer
      const cookie = yield* enter
      for (const host of ["evil.example", "127.0.0.1", "127.0.0.1:1", `evil.example:${new URL(url).port}`]) {
        expect((yield* send(`${url}/api/rooms`, { headers: { cookie, host } })).status).toBe(421)
        expect((yield* send(url, { headers: { cookie, host } })).status).toBe(421)
        // No browser sends the command line's token: it may come by any name, as a scraper's does.
        expect((yield* send(`${url}/metrics`, { headers: { ...bearer, host } })).status).toBe(200)
      }
      const host = `LOCALHOST:${new URL(url).port}`
      expect((yield* send(`${url}/api/rooms`, { headers: { cookie, host } })).status).toBe(200)
    }),
  )

  it.effect("lets nobody change anything from another site, whatever they send", () =>
    Effect.gen(function* () {
      const { url } = yield* WebServer
      const cookie = yield* enter
      const rooms = () => Effect.map(send(`${url}/api/rooms`, { headers: bearer }), ({ text }) => text)
      const before = yield* rooms()
      const hostile: ReadonlyArray<readonly [number, Record<string, string>]> = [
        [403, { cookie, ...jsonType }],
        [403, { cookie, ...jsonType, "sec-fetch-site": "cross-site" }],
        [403, { cookie, ...jsonType, "sec-fetch-site": "same-site" }],
        [403, { cookie, ...jsonType, ...sameOrigin, origin: "https://evil.example" }],
        [403, { cookie, ...jsonType, origin: "null" }],
        [403, { ...bearer, ...jsonType, origin: "https://evil.example" }],
        [415, { cookie, ...sameOrigin, "content-type": "text/plain" }],
        [415, { cookie, ...sameOrigin, "content-type": "application/x-www-form-urlencoded" }],
        [415, { cookie, ...sameOrigin }],
        [401, { ...jsonType, ...sameOrigin }],
      ]
      for (const [status, headers] of hostile) {
        const answer = yield* send(`${url}/api/rooms`, { method: "POST", headers, body: '{"title":"x"}' })
        expect([headers, answer.status]).toEqual([headers, status])
      }
      const read = { cookie, "sec-fetch-site": "cross-site" }
      expect((yield* send(`${url}/api/rooms`, { headers: read })).status).toBe(403)
      expect(yield* rooms()).toBe(before)
      for (const proof of [sameOrigin, { origin: url }]) {
        const headers = { cookie, ...jsonType, ...proof }
        expect(
          (yield* send(`${url}/api/rooms`, { method: "POST", headers, body: '{"title":"x"}' })).status,
        ).toBe(201)
      }
    }),
  )

  it.effect("sends the security headers with every answer, also with errors", () =>
    Effect.gen(function* () {
      const { url } = yield* WebServer
      const cookie = yield* enter
      for (const [path, headers] of [
        ["/", {}],
        ["/", { cookie }],
        ["/page/theme.js", {}],
        ["/rooms/0abc", {}],
        ["/healthz", {}],
        ["/api/rooms", bearer],
        ["/api/nothing", bearer],
        ["/api/rooms", { host: "evil.example" }],
      ] as const) {
        const answer = yield* send(url + path, { headers })
        expect(answer.headers["content-security-policy"]).toContain("default-src 'none'")
        expect(answer.headers["content-security-policy"]).toContain("frame-ancestors 'none'")
        expect(answer.headers["content-security-policy"]).not.toContain("unsafe")
        expect(answer.headers).toMatchObject({
          "x-content-type-options": "nosniff",
          "referrer-policy": "no-referrer",
          "cross-origin-opener-policy": "same-origin",
          "cache-control": "no-store",
        })
      }
    }),
  )

  it.effect("lets only files whose name changes with their content be kept, and packs them", () =>
    Effect.gen(function* () {
      const { url } = yield* WebServer
      const [, asset = ""] = /src="(\/page\/assets\/[^"]+\.js)"/.exec((yield* send(url)).text) ?? []
      const plain = yield* send(url + asset)
      expect(plain.headers).toMatchObject({
        "cache-control": "public, max-age=31536000, immutable",
        "content-type": "text/javascript; charset=utf-8",
      })
      const packed = yield* send(url + asset, { headers: { "accept-encoding": "gzip, br" } })
      expect(packed.headers["content-encoding"]).toBe("gzip")
      expect((yield* send(`${url}/page/assets/../../Build.ts`)).status).toBe(401)
      expect((yield* send(`${url}/page/Build.ts`)).status).toBe(404)
    }),
  )

  it.effect("cannot be walked around by odd paths", () =>
    Effect.gen(function* () {
      const { url } = yield* WebServer
      for (const path of [
        "//api/rooms",
        "/%61pi/rooms",
        "/api/rooms/",
        "/page/../api/rooms",
        "/hooks/../api/rooms",
        "/API/rooms",
      ]) {
        const answer = yield* Effect.promise(() => rawGet(url, path))
        expect([path, answer.includes('"rooms"')]).toEqual([path, false])
      }
    }),
  )
})

/** `fetch` and `URL` would tidy the path up first. */
const rawGet = (url: string, path: string) =>
  new Promise<string>((resolve, reject) => {
    import("node:net").then(({ connect }) => {
      const { hostname, port, host } = new URL(url)
      const socket = connect(Number(port), hostname, () =>
        socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
      )
      let text = ""
      socket
        .on("data", (part) => (text += String(part)))
        .on("end", () => resolve(text))
        .on("error", reject)
    }, reject)
  })

const cookieName = (url: string) => `troupe_${new URL(url).port}`

layer(ServerTest.layer({ notReady: Effect.succeed(["team-chat: connecting"]) }), {
  excludeTestServices: true,
})("health and hooks", (it) => {
  it.effect("says it is alive, and what it waits for", () =>
    Effect.gen(function* () {
      const { url } = yield* WebServer
      const anywhere = { headers: { host: "10.1.2.3:8080" } }
      expect((yield* send(`${url}/healthz`, anywhere)).status).toBe(200)
      const ready = yield* send(`${url}/readyz`, anywhere)
      expect(ready.status).toBe(503)
      expect(parse(ready.text)).toEqual({ status: "waiting", waiting: ["team-chat: connecting"] })
    }),
  )

  it.effect("shows its metrics to whoever has the token, and to nobody else", () =>
    Effect.gen(function* () {
      const { url } = yield* WebServer
      expect((yield* send(`${url}/metrics`)).status).toBe(401)
      const shown = yield* send(`${url}/metrics`, { headers: { authorization: `Bearer ${cliToken}` } })
      expect([shown.status, shown.text]).toEqual([200, "troupe_actors 3\n"])
    }),
  )

  it.effect("hands a hook its raw bytes, and refuses what is too large or unknown", () =>
    Effect.gen(function* () {
      const { url } = yield* WebServer
      const hooks = yield* Hooks
      const heard: Array<{ readonly body: string; readonly signature: string | undefined }> = []
      yield* hooks.register("repos", 1000, ({ body, headers }) =>
        Effect.sync(() => {
          heard.push({
            body: Buffer.from(body).toString("latin1"),
            signature: headers["x-hub-signature-256"],
          })
          return { status: 202, body: "thanks" }
        }),
      )
      const body = Buffer.from([0x7b, 0xff, 0x00, 0x7d])
      const good = yield* send(`${url}/hooks/repos`, {
        method: "POST",
        headers: { "x-hub-signature-256": "sha256=1", host: "evil.example" },
        body,
      })
      expect([good.status, good.text]).toEqual([202, "thanks"])
      expect(heard).toEqual([{ body: body.toString("latin1"), signature: "sha256=1" }])
      const large = yield* send(`${url}/hooks/repos`, { method: "POST", body: Buffer.alloc(1001) })
      expect(large.status).toBe(413)
      const chunked = { "transfer-encoding": "chunked" }
      const streamed = yield* send(`${url}/hooks/repos`, {
        method: "POST",
        headers: chunked,
        body: Buffer.alloc(1001),
      })
      expect(streamed.status).toBe(413)
      expect((yield* send(`${url}/hooks/other`, { method: "POST" })).status).toBe(404)
      expect((yield* send(`${url}/hooks/repos`)).status).toBe(404)
      expect(heard).toHaveLength(1)
    }).pipe(Effect.scoped),
  )
})

layer(ServerTest.layer(), { excludeTestServices: true })("the API", (it) => {
  const post = Effect.fnUntraced(function* (path: string, body: unknown) {
    const { url } = yield* WebServer
    const answer = yield* send(url + path, {
      method: "POST",
      headers: { ...bearer, ...jsonType },
      body: JSON.stringify(body),
    })
    return { status: answer.status, ...parse(answer.text) } as Record<string, unknown>
  })
  const get = Effect.fnUntraced(function* (path: string) {
    const { url } = yield* WebServer
    const answer = yield* send(url + path, { headers: bearer })
    return { status: answer.status, ...parse(answer.text) } as Record<string, unknown>
  })

  it.effect("opens a room, hears words once, and tells them back", () =>
    Effect.gen(function* () {
      const { accepted } = yield* LiveRoomsMemory.Stage
      const room = yield* post("/api/rooms", { title: "  Launch " })
      expect(room).toMatchObject({ status: 201, title: "Launch", head: 0 })
      const say = { id: "c-1", text: "@Ada, please look; not me@bo.example\u0000" }
      const first = yield* post(`/api/rooms/${String(room.id)}/say`, say)
      expect(first).toMatchObject({ status: 200, pos: 1, duplicate: false })
      expect(yield* post(`/api/rooms/${String(room.id)}/say`, say)).toMatchObject({
        event: first.event,
        pos: 1,
        duplicate: true,
      })
      expect(accepted).toHaveLength(1)
      expect(accepted[0]).toMatchObject({
        externalId: `${String(room.id)}:c-1`,
        message: {
          channel: room.id,
          sourceKey: "web:c-1",
          author: { id: "owner", kind: "person" },
          text: "@Ada, please look; not me@bo.example",
          mentions: [ada.id],
        },
      })
      const page = yield* get(`/api/rooms/${String(room.id)}/events?after=0`)
      expect(page).toMatchObject({ more: false, events: [{ pos: 1, kind: "message" }] })
      expect(yield* get(`/api/rooms/${String(room.id)}/why?message=${String(first.event)}`)).toMatchObject({
        why: [{ verdict: "lead" }, { verdict: "pass" }],
      })
    }),
  )

  it.effect("refuses what it does not understand with a sentence", () =>
    Effect.gen(function* () {
      const room = yield* post("/api/rooms", { title: "Odd" })
      const say = `/api/rooms/${String(room.id)}/say`
      const refused: ReadonlyArray<readonly [number, string, unknown]> = [
        [400, "/api/rooms", { title: "" }],
        [400, "/api/rooms", { title: "x", colour: "red" }],
        [400, "/api/rooms", { title: "x".repeat(121) }],
        [400, say, { id: "a b", text: "x" }],
        [400, say, { id: "1", text: "\u0000 " }],
        [400, say, { id: "1", text: "x".repeat(32_769) }],
        [413, say, { id: "1", text: "x".repeat(300_000) }],
        [404, "/api/rooms/nowhere/say", { id: "1", text: "x" }],
      ]
      for (const [status, path, body] of refused) {
        const answer = yield* post(path, body)
        expect([status, answer.status, typeof answer.error]).toEqual([status, status, "string"])
      }
      expect((yield* get(`/api/rooms/${String(room.id)}/events?after=x`)).status).toBe(400)
      expect((yield* get(`/api/rooms/${String(room.id)}/why`)).status).toBe(400)
      expect((yield* get("/api/nothing")).status).toBe(404)
    }),
  )

  it.effect("stops turns by their id, applies the company, and asks for a proof before either", () =>
    Effect.gen(function* () {
      const { url } = yield* WebServer
      expect(yield* post("/api/turns/1m86h58w7vmgy019wzbj/stop", {})).toEqual({ status: 200, stopped: false })
      expect(yield* post("/api/turns/nonsense!/stop", {})).toMatchObject({ status: 404 })
      expect(yield* post("/api/apply", {})).toEqual({ status: 200, agents: ["ada", "bo"] })
      for (const path of ["/api/apply", "/api/turns/1m86h58w7vmgy019wzbj/stop"]) {
        const refused = yield* send(url + path, { method: "POST", headers: jsonType, body: "{}" })
        expect([path, refused.status]).toEqual([path, 401])
      }
    }),
  )

  it.effect("does not speak in rooms of other doors", () =>
    Effect.gen(function* () {
      const stage = yield* LiveRoomsMemory.Stage
      const room = yield* stage.openRoom("Family", { doorName: "team-chat", speakable: false })
      const answer = yield* post(`/api/rooms/${room.id}/say`, { id: "1", text: "hello" })
      expect(answer).toMatchObject({
        status: 409,
        error: "This room lives in team-chat; speak there, and it appears here.",
      })
    }),
  )

  it.effect("describes itself, every path of it, for other programs", () =>
    Effect.gen(function* () {
      const { url } = yield* WebServer
      expect((yield* send(`${url}/api/openapi.json`)).status).toBe(401)
      const described = yield* get("/api/openapi.json")
      expect(described).toMatchObject({ status: 200, info: { title: "Troupe" } })
      const paths = described.paths as Record<string, Record<string, { responses: Record<string, unknown> }>>
      expect(Object.keys(paths)).toEqual(
        expect.arrayContaining(["/api/rooms", "/api/rooms/{id}/say", "/api/agents"]),
      )
      expect(Object.keys(paths["/api/rooms/{id}/say"]!.post!.responses)).toEqual(
        expect.arrayContaining(["200", "400", "403", "404", "409", "503"]),
      )
    }),
  )

  it.effect("reads a log from its end, a page at a time", () =>
    Effect.gen(function* () {
      const stage = yield* LiveRoomsMemory.Stage
      const { id } = yield* stage.openRoom("Long")
      for (let i = 1; i <= 505; i++) yield* stage.append(id, words(String(i)))
      const last = yield* get(`/api/rooms/${id}/events?before=506`)
      expect([last.more, (last.events as Array<{ pos: number }>).map(({ pos }) => pos)]).toEqual([
        true,
        Array.from({ length: 500 }, (_, i) => i + 6),
      ])
      const first = yield* get(`/api/rooms/${id}/events?before=6`)
      expect([first.more, (first.events as Array<unknown>).length]).toEqual([false, 5])
    }),
  )

  it.effect("gives the command line a new link", () =>
    Effect.gen(function* () {
      const { url } = yield* post("/api/link", {})
      expect((yield* send(String(url))).headers["set-cookie"]).toBeDefined()
    }),
  )
})

/** Reads frames of the stream until `enough`, then hangs up. */
const readStream = (
  url: string,
  headers: Readonly<Record<string, string>>,
  enough: (frames: ReadonlyArray<Frame>) => boolean,
) =>
  Effect.promise(async (signal) => {
    const stop = new AbortController()
    signal.addEventListener("abort", () => stop.abort())
    const answer = await fetch(url, { headers, signal: stop.signal })
    const frames: Array<Frame> = []
    let rest = ""
    for await (const part of answer.body!.pipeThrough(new TextDecoderStream())) {
      rest += part
      const whole = rest.split("\n\n")
      rest = whole.pop() ?? ""
      for (const text of whole) frames.push(frameOf(text))
      if (enough(frames)) break
    }
    stop.abort()
    return frames
  })
interface Frame {
  readonly id: number | undefined
  readonly event: string
  readonly data: Record<string, unknown>
}
const frameOf = (text: string): Frame => {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1]
  const id = field("id")
  return {
    id: id === undefined ? undefined : Number(id),
    event: field("event") ?? "",
    data: parse(field("data") ?? "{}"),
  }
}

layer(ServerTest.layer(), { excludeTestServices: true })("the stream", (it) => {
  const streamUrl = Effect.fnUntraced(function* (room: ThreadId, after: number) {
    const { url } = yield* WebServer
    return `${url}/api/rooms/${room}/stream?after=${after}`
  })
  const stored = (frames: ReadonlyArray<Frame>) => frames.flatMap(({ id }) => (id === undefined ? [] : [id]))

  it.effect("replays, then goes on live: no gap and no duplicate while the room talks", () =>
    Effect.gen(function* () {
      const stage = yield* LiveRoomsMemory.Stage
      const room = (yield* stage.openRoom("Busy")).id
      for (let i = 1; i <= 700; i++) yield* stage.append(room, words(`${i}`))
      const url = yield* streamUrl(room, 0)
      const reader = yield* Effect.forkChild(
        readStream(url, bearer, (frames) => stored(frames).includes(1000)),
      )
      while (stage.listeners(room) === 0) yield* Effect.yieldNow
      for (let i = 701; i <= 1000; i++) {
        // Some are never announced: the next announced one must bring them along.
        yield* stage.append(room, words(`${i}`), { quiet: i % 7 === 0 })
        if (i % 20 === 0) yield* Effect.yieldNow
      }
      const frames = yield* Fiber.join(reader)
      expect(stored(frames)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1))
    }),
  )

  it.effect("continues after the last event that the page has seen", () =>
    Effect.gen(function* () {
      const stage = yield* LiveRoomsMemory.Stage
      const room = (yield* stage.openRoom("Broken line")).id
      for (let i = 1; i <= 10; i++) yield* stage.append(room, words(`${i}`))
      const url = yield* streamUrl(room, 0)
      const ready = (frames: ReadonlyArray<Frame>) => frames.some(({ event }) => event === "ready")
      const first = yield* readStream(url, bearer, (frames) => stored(frames).includes(4))
      const again = yield* readStream(url, { ...bearer, "last-event-id": "4" }, ready)
      expect(stored(first).slice(0, 4)).toEqual([1, 2, 3, 4])
      expect(stored(again)).toEqual([5, 6, 7, 8, 9, 10])
    }),
  )

  it.effect("carries words as they are said, and stores none of them", () =>
    Effect.gen(function* () {
      const stage = yield* LiveRoomsMemory.Stage
      const room = (yield* stage.openRoom("Live")).id
      const url = yield* streamUrl(room, 0)
      const reader = yield* Effect.forkChild(
        readStream(url, bearer, (frames) => frames.filter(({ event }) => event === "delta").length === 3),
      )
      while (stage.listeners(room) === 0) yield* Effect.yieldNow
      const turn = "t1" as Parameters<typeof stage.delta>[1]["turn"]
      for (const [n, text] of ["Hel", "lo", "\n\ndata: x"].entries()) {
        yield* stage.delta(room, { turn, agent: ada.id, fence: 1, n, text })
      }
      const frames = yield* Fiber.join(reader)
      expect(frames.filter(({ event }) => event === "delta").map(({ data }) => data.text)).toEqual([
        "Hel",
        "lo",
        "\n\ndata: x",
      ])
      expect(stored(frames)).toEqual([])
    }),
  )

  it.effect("hangs up when the page does, and ends when the session does", () =>
    Effect.gen(function* () {
      const stage = yield* LiveRoomsMemory.Stage
      const rooms = yield* LiveRooms
      const room = (yield* stage.openRoom("Short")).id
      yield* readStream(yield* streamUrl(room, 0), bearer, (frames) => frames.length > 0)
      yield* Effect.yieldNow.pipe(
        Effect.repeat({ until: () => stage.listeners(room) === 0 }),
        Effect.timeout("5 seconds"),
      )
      const rest = yield* Stream.runCollect(roomStream(rooms, room, 0, Effect.succeed(false)))
      expect(rest).toHaveLength(1)
      expect(stage.listeners(room)).toBe(0)
    }),
  )
})

describe("start", () => {
  layer(Layer.empty)((it) => {
    it.effect("refuses to listen beyond this machine without a trusted proxy", () =>
      Effect.gen(function* () {
        const error = yield* Layer.build(ServerTest.layer({ settings: { host: "0.0.0.0" } })).pipe(
          Effect.scoped,
          Effect.flip,
        )
        expect(error.message).toContain("set TRUSTED_PROXY")
      }),
    )

    it.effect("stops at once, though a stream is open", () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(ServerTest.layer(), scope)
        const stage = Context.get(context, LiveRoomsMemory.Stage)
        const room = yield* stage.openRoom("Open end")
        const { url } = Context.get(context, WebServer)
        yield* Effect.forkChild(send(`${url}/api/rooms/${room.id}/stream`, { headers: bearer }))
        yield* Effect.yieldNow.pipe(Effect.repeat({ until: () => stage.listeners(room.id) === 1 }))
        const [took] = yield* Effect.timed(Scope.close(scope, Exit.void))
        expect(Duration.toMillis(took)).toBeLessThan(3000)
        expect(stage.listeners(room.id)).toBe(0)
      }).pipe(TestClock.withLive),
    )

    it.effect("says which port is taken", () =>
      Effect.gen(function* () {
        const port = Number(new URL((yield* WebServer).url).port)
        const error = yield* Layer.build(Layer.fresh(ServerTest.layer({ settings: { port } }))).pipe(
          Effect.scoped,
          Effect.flip,
        )
        expect(error.message).toBe(
          `Port ${port} is in use; stop the program that has it, or set PORT to another one.`,
        )
      }).pipe(Effect.provide(ServerTest.layer())),
    )

    it.effect(
      "behind a proxy: links carry the public name, and the cookie is Secure and bound to the host",
      () =>
        Effect.gen(function* () {
          const { newLink, port, url } = yield* WebServer
          expect(url).toBe("https://troupe.example.com")
          const link = yield* newLink
          expect(link).toMatch(/^https:\/\/troupe\.example\.com\/enter\?token=[\w-]{43}$/)
          const here = link.replace(url, `http://127.0.0.1:${port}`)
          const answer = yield* send(here, { headers: { host: "troupe.example.com" } })
          const cookie = String(answer.headers["set-cookie"])
          expect(cookie).toMatch(/^__Host-troupe=[\w-]{43}; /)
          expect(cookie).toContain("Secure")
          expect(cookie).toContain("Path=/")
          expect(cookie).not.toContain("Domain")
        }).pipe(
          Effect.provide(
            ServerTest.layer({
              settings: {
                trustedProxy: Option.some("10.0.0.0/8"),
                publicUrl: Option.some("https://troupe.example.com"),
              },
            }),
          ),
        ),
    )
  })
})
