/** The hazards of @fly/sprites 0.1.0, each made to happen by a server that misbehaves on purpose. */
import { afterEach, describe, expect, it, vi } from "vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { once } from "node:events"
import { createServer } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { WebSocket } from "ws"
import { WebSocketServer } from "ws"
import { Sandbox } from "./Sandbox.ts"
import type { Machine, SandboxError, Session } from "./Sandbox.ts"
import { layer } from "./Sprites.ts"

type OnRequest = (request: IncomingMessage, response: ServerResponse) => void
interface Script {
  readonly http?: OnRequest
  /** Null refuses the upgrade. */
  readonly socket?: ((socket: WebSocket, request: IncomingMessage) => void) | null
}

const servers: Array<{ server: Server; sockets: WebSocketServer }> = []
const uncaught: Array<unknown> = []
process.on("uncaughtException", (error) => uncaught.push(error))
process.on("unhandledRejection", (error) => uncaught.push(error))

afterEach(async () => {
  for (const { server, sockets } of servers.splice(0)) {
    for (const client of sockets.clients) client.terminate()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  expect(uncaught).toEqual([])
})

const json = (response: ServerResponse, status: number, body: unknown) => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(body))
}
const sprite = { id: "1", name: "box", organization: "o", url: "u", status: "warm" }
const info = (tty = false) =>
  JSON.stringify({ type: "session_info", session_id: "17", command: "x", created: 1, cols: 1, rows: 1, tty })

/** Answers like a healthy server, but for what the script says. */
const serve = async ({ http, socket = null }: Script) => {
  const sockets = new WebSocketServer({ noServer: true })
  const server = createServer((request, response) => {
    if (http !== undefined) return http(request, response)
    if (request.url?.includes("/exec") === true) return json(response, 200, { sessions: [] })
    json(response, 200, sprite)
  })
  server.on("upgrade", (request, stream, head) => {
    if (socket === null) return void stream.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
    sockets.handleUpgrade(request, stream, head, (client) => socket(client, request))
  })
  await once(server.listen(0, "127.0.0.1"), "listening")
  servers.push({ server, sockets })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const withMachine = async <A, E>(
  script: Script,
  use: (machine: Machine) => Effect.Effect<A, E, Scope.Scope>,
): Promise<A> => {
  const baseUrl = await serve(script)
  return Effect.runPromise(
    Effect.flatMap(Sandbox, (sandbox) => Effect.flatMap(sandbox.open("box"), use)).pipe(
      Effect.scoped,
      Effect.provide(layer({ baseUrl, token: Redacted.make("secret-token") })),
      Effect.timeout("15 seconds"),
    ),
  )
}

const spawn = (machine: Machine, onOutput: (text: string) => void = () => {}) =>
  machine.spawn({
    argv: ["x"],
    detachable: true,
    onOutput: (stream, chunk) => onOutput(`${stream}:${Buffer.from(chunk).toString()}`),
  })
const frame = (id: number, text: string | number) =>
  Buffer.concat([Buffer.from([id]), typeof text === "number" ? Buffer.from([text]) : Buffer.from(text)])
const exitOf = (session: Session) => Effect.flip(session.exit)

describe("Sprites against a server that misbehaves", () => {
  it("survives a refused connection, whose three error events would end the process", async () => {
    const error = await withMachine({ socket: null }, (machine) => Effect.flip(spawn(machine)))
    expect(error).toMatchObject({ kind: "lost", retry: "later" })
    expect(error.message).not.toContain("127.0.0.1")
  })

  it("says why a socket was refused by asking over HTTP", async () => {
    let calls = 0
    const refuse =
      (status: number): OnRequest =>
      (_, response) =>
        calls++ === 0 ? json(response, 200, sprite) : json(response, status, { error: "no", message: "no" })
    const attach = (machine: Machine) => Effect.flip(machine.attach("17", () => {}))
    expect((await withMachine({ http: refuse(404) }, attach)).kind).toBe("missing")
    calls = 0
    expect(await withMachine({ http: refuse(401) }, attach)).toMatchObject({
      kind: "refused",
      retry: "never",
    })
    expect((await withMachine({}, attach)).kind).toBe("missing")
  })

  it("settles when the server never says anything about the session to attach to", async () => {
    const error = await withMachine({ socket: () => {} }, (machine) =>
      Effect.flip(machine.attach("17", () => {})),
    )
    expect(error.kind).toBe("missing")
  })

  it("gives a dropped connection as lost, never as an exit code", async () => {
    const drop = (how: (socket: WebSocket) => void) =>
      withMachine(
        {
          socket: (socket) => {
            socket.send(info())
            socket.send(frame(1, "some"))
            socket.on("message", () => how(socket))
          },
        },
        (machine) =>
          Effect.gen(function* () {
            const session = yield* spawn(machine)
            yield* session.write(Buffer.from("go"))
            return yield* exitOf(session)
          }),
      )
    expect(await drop((socket) => socket.close(1000))).toMatchObject({ kind: "lost", retry: "later" })
    expect(await drop((socket) => socket.terminate())).toMatchObject({ kind: "lost" })
    expect(await drop((socket) => socket.close(1011, "oops"))).toMatchObject({ kind: "lost" })
  })

  it("gives 45 s of silence, after which the SDK hangs up, as lost", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] })
    try {
      const error = await withMachine({ socket: (socket) => socket.send(info()) }, (machine) =>
        Effect.gen(function* () {
          const session = yield* spawn(machine)
          vi.advanceTimersByTime(61_000)
          return yield* exitOf(session)
        }),
      )
      expect(error).toMatchObject({ kind: "lost", message: expect.stringContaining("keepalive") })
    } finally {
      vi.useRealTimers()
    }
  })

  it("gives all output before the exit code, and takes the id from the first message", async () => {
    const heard: Array<string> = []
    const [id, code] = await withMachine(
      {
        socket: (socket) => {
          socket.send(info())
          for (let i = 0; i < 500; i++) socket.send(frame(1 + (i % 2), `${i} `))
          socket.send(Buffer.alloc(0))
          socket.send(frame(3, 9))
        },
      },
      (machine) =>
        Effect.gen(function* () {
          const session = yield* spawn(machine, (text) => heard.push(text))
          return [session.id, yield* session.exit] as const
        }),
    )
    expect([id, code]).toEqual(["17", 9])
    expect(heard).toHaveLength(500)
    expect(heard.at(-1)).toBe("stderr:499 ")
  })

  it("takes input only when the socket is open, and refuses it afterwards instead of dropping it", async () => {
    const got: Array<string> = []
    const error = await withMachine(
      {
        socket: (socket) => {
          socket.send(info())
          socket.on("message", (data: Buffer) => {
            got.push(data.subarray(1).toString())
            socket.send(frame(3, 0))
          })
        },
      },
      (machine) =>
        Effect.gen(function* () {
          const session = yield* spawn(machine)
          yield* session.write(Buffer.from("at once"))
          yield* session.exit
          return yield* Effect.flip(session.write(Buffer.from("too late")))
        }),
    )
    expect(got).toEqual(["at once"])
    expect(error.kind).toBe("lost")
  })

  it("takes a terminal's exit code from its message, not from the close code", async () => {
    const end = (last: string | null) =>
      withMachine(
        {
          socket: (socket) => {
            socket.send(info(true))
            // Only after the client has heard that it is a terminal.
            socket.send(Buffer.from("text"), () =>
              setImmediate(() => {
                if (last !== null) socket.send(last)
                socket.close(1000)
              }),
            )
          },
        },
        (machine) =>
          Effect.flatMap(
            machine.attach("17", () => {}),
            (session) => Effect.result(session.exit),
          ),
      )
    expect(await end('{"type":"exit","exit_code":7}')).toMatchObject({ success: 7 })
    expect(await end(null)).toMatchObject({ failure: { kind: "lost" } })
  })

  it("asks for no control connection and for a process that outlives the connection", async () => {
    const asked: Array<string> = []
    await withMachine(
      {
        socket: (socket, request) => {
          asked.push(request.url ?? "")
          socket.send(info())
          socket.send(frame(3, 1))
        },
      },
      (machine) => Effect.flatMap(spawn(machine), (session) => session.exit),
    )
    expect(asked).toHaveLength(1)
    const query = new URL(`http://x${asked[0]}`).searchParams
    expect(query.get("max_run_after_disconnect")).toBe("0")
    expect(query.has("env")).toBe(false)
  })

  it("hangs up when its scope closes", async () => {
    let closed: Promise<unknown> | undefined
    await withMachine(
      {
        socket: (socket) => {
          closed = once(socket, "close")
          socket.send(info())
        },
      },
      (machine) => spawn(machine),
    )
    await closed
  })

  it("reports a failed kill, which the server only writes as a line of its stream", async () => {
    const http: OnRequest = (request, response) =>
      request.url?.includes("/kill") === true
        ? response.end(
            '{"type":"signal","message":"sent"}\n\n{"type":"error","message":"it would not die"}\n',
          )
        : json(response, 200, sprite)
    const error = await withMachine({ http }, (machine) => Effect.flip(machine.killSession("17", "KILL")))
    expect(error.message).toContain("it would not die")
  })

  it("tells a missing file by its text when the server leaves the code out", async () => {
    const http: OnRequest = (request, response) =>
      request.url?.includes("/fs/") === true
        ? json(response, 404, { error: "no such file or directory" })
        : json(response, 200, sprite)
    expect(await withMachine({ http }, (machine) => Effect.flip(machine.readFile("/x")))).toMatchObject({
      kind: "missing",
      retry: "never",
    })
    expect((await withMachine({ http }, (machine) => Effect.flip(machine.list("/x")))).kind).toBe("missing")
  })

  it("lists an empty directory as empty, and a directory by what is in it", async () => {
    const entry = {
      name: "in",
      path: "/d/in",
      type: "file",
      size: 3,
      mode: "0755",
      modTime: "x",
      isDir: false,
    }
    const http: OnRequest = (request, response) =>
      request.url?.includes("/fs/") === true
        ? json(response, 200, { path: "/d", entries: request.url.includes("empty") ? [] : [entry], count: 1 })
        : json(response, 200, sprite)
    expect(await withMachine({ http }, (machine) => machine.list("/empty"))).toEqual([])
    expect(await withMachine({ http }, (machine) => machine.list("/d"))).toEqual([
      { name: "in", path: "/d/in", type: "file", size: 3, mode: 0o755 },
    ])
  })

  it("says what to do about limits, wrong tokens and a server that is not there", async () => {
    const status =
      (code: number): OnRequest =>
      (_, response) =>
        json(response, code, { error: "sprite_creation_rate_limited", message: "slow down" })
    const open = async (http: OnRequest) =>
      withMachine({ http }, () => Effect.void).then(
        () => null,
        (error: SandboxError) => error,
      )
    expect(await open(status(429))).toMatchObject({ kind: "limit", retry: "later" })
    expect(await open(status(401))).toMatchObject({ kind: "refused", retry: "never" })
    expect(await open(status(503))).toMatchObject({ kind: "unavailable", retry: "later" })
    expect((await open(status(401)))?.message).toContain("SPRITES_TOKEN")
    const nobody = await Effect.runPromise(
      Effect.flatMap(Sandbox, (sandbox) => Effect.flip(sandbox.open("box"))).pipe(
        Effect.provide(layer({ baseUrl: "http://127.0.0.1:1", token: Redacted.make("secret-token") })),
      ),
    )
    expect(nobody).toMatchObject({ kind: "unavailable", retry: "later" })
    expect(JSON.stringify(nobody)).not.toContain("secret-token")
  })

  it("creates a machine that was created by someone else in between", async () => {
    let gets = 0
    const http: OnRequest = (request, response) => {
      if (request.method === "POST") return json(response, 400, { error: "exists", message: "name taken" })
      json(response, gets++ === 0 ? 404 : 200, gets === 1 ? { error: "not_found" } : sprite)
    }
    expect(await withMachine({ http }, (machine) => Effect.succeed(machine.fresh))).toBe(false)
  })
})
