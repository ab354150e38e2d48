import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import type { IncomingMessage, RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { Readable } from "node:stream"
import { FetchTimeout, keepAliveFetch } from "./KeepAliveFetch.ts"

const serve = (listener: RequestListener) =>
  Effect.acquireRelease(
    Effect.callback<{ url: string; ports: Set<number>; close: () => void }>((resume) => {
      const ports = new Set<number>()
      const server = createServer((request, response) => {
        ports.add(request.socket.remotePort ?? 0)
        listener(request, response)
      })
      server.listen(0, "127.0.0.1", () =>
        resume(
          Effect.succeed({
            url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
            ports,
            close: () => (server.closeAllConnections(), server.close()),
          }),
        ),
      )
    }),
    (server) => Effect.sync(server.close),
  )

const read = async (request: IncomingMessage): Promise<string> => {
  let text = ""
  for await (const chunk of request) text += String(chunk)
  return text
}

const echo: RequestListener = (request, response) => {
  void read(request).then((body) =>
    response.end(JSON.stringify({ method: request.method, headers: request.headers, body })),
  )
}

const open = keepAliveFetch({ firstByteMs: 5_000, idleMs: 5_000 })
interface Echo {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body: string
}
const rejection = (run: () => Promise<unknown>) =>
  Effect.promise(() =>
    run().then(
      () => null,
      (error: unknown) => error,
    ),
  )

describe("keepAliveFetch", () => {
  it.live("reuses one socket for calls that follow each other", () =>
    Effect.gen(function* () {
      const fetch = yield* open
      const { url, ports } = yield* serve(echo)
      for (let i = 0; i < 5; i++)
        yield* Effect.promise(async () => (await fetch(`${url}/a`, { method: "POST", body: `${i}` })).json())
      expect(ports.size).toBe(1)
    }),
  )

  it.live("sends strings, bytes, forms and streams of both kinds", () =>
    Effect.gen(function* () {
      const fetch = yield* open
      const { url } = yield* serve(echo)
      const send = (body: unknown, headers: HeadersInit = {}) =>
        Effect.promise(async (): Promise<Echo> => {
          const init = { method: "POST", headers, body } as RequestInit
          return (await (await fetch(url, init)).json()) as Echo
        })
      expect((yield* send('{"ä":1}', { "Content-Type": "application/json" })).headers).toMatchObject({
        "content-type": "application/json",
        "content-length": "8",
      })
      expect((yield* send(Buffer.from("bytes"))).body).toBe("bytes")
      expect((yield* send(new Blob(["one"]).stream())).body).toBe("one")
      expect((yield* send(Readable.from(["two ", "three"]))).body).toBe("two three")
      const form = new FormData()
      form.set("file", new Blob(["content"]), "name.txt")
      const sent = yield* send(form)
      expect(sent.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/)
      expect(sent.body).toContain('filename="name.txt"')
      expect((yield* send(new URLSearchParams({ a: "b c" }))).body).toBe("a=b+c")
    }),
  )

  it.live("hands on the body while it is still being written", () =>
    Effect.gen(function* () {
      const fetch = yield* open
      let finish = () => {}
      const { url } = yield* serve((_, response) => {
        response.writeHead(200, { "x-kind": "stream" })
        response.write("first")
        finish = () => response.end("second")
      })
      yield* Effect.promise(async () => {
        const response = await fetch(url)
        expect(response.headers.get("x-kind")).toBe("stream")
        const reader = response.body!.getReader()
        expect(Buffer.from((await reader.read()).value!).toString()).toBe("first")
        finish()
        expect(Buffer.from((await reader.read()).value!).toString()).toBe("second")
        expect((await reader.read()).done).toBe(true)
      })
    }),
  )

  it.live("closes the socket when the signal aborts, before and during the body", () =>
    Effect.gen(function* () {
      const fetch = yield* open
      const closed: Array<string> = []
      const arrived = new Map<string, () => void>()
      const { url } = yield* serve((request, response) => {
        const path = request.url ?? ""
        response.on("close", () => {
          closed.push(path)
          arrived.get(`closed ${path}`)?.()
        })
        if (path === "/body") response.write("x")
        arrived.get(path)?.()
      })
      const event = (name: string) => new Promise<void>((resolve) => arrived.set(name, resolve))
      yield* Effect.promise(async () => {
        for (const path of ["/head", "/body"]) {
          const controller = new AbortController()
          const here = event(path)
          const gone = event(`closed ${path}`)
          const call = fetch(url + path, { signal: controller.signal }).then((response) => response.text())
          await here
          controller.abort()
          await expect(call).rejects.toMatchObject({ name: "AbortError" })
          await gone
        }
      })
      expect(closed).toEqual(["/head", "/body"])
    }),
  )

  it.live("tells silence before the answer from silence within it", () =>
    Effect.gen(function* () {
      const fetch = yield* keepAliveFetch({ firstByteMs: 60, idleMs: 60 })
      const { url } = yield* serve((request, response) => {
        if (request.url === "/body") response.write("x")
      })
      const head = yield* rejection(() => fetch(`${url}/head`))
      const body = yield* rejection(async () => (await fetch(`${url}/body`)).text())
      expect(head).toBeInstanceOf(FetchTimeout)
      expect(head).toMatchObject({ phase: "first byte" })
      expect(body).toBeInstanceOf(FetchTimeout)
      expect(body).toMatchObject({ phase: "body" })
    }),
  )

  it.live("never takes a cut body for a whole one", () =>
    Effect.gen(function* () {
      const fetch = yield* open
      const { url } = yield* serve((_, response) => {
        response.writeHead(200, { "content-length": "100" })
        response.write("half", () => response.socket?.destroy())
      })
      expect(yield* rejection(async () => (await fetch(url)).text())).toBeInstanceOf(Error)
    }),
  )

  it.live("answers without a body where the status has none", () =>
    Effect.gen(function* () {
      const fetch = yield* open
      const { url } = yield* serve((_, response) => response.writeHead(204).end())
      const response = yield* Effect.promise(() => fetch(url))
      expect(response.status).toBe(204)
      expect(response.body).toBeNull()
    }),
  )
})
