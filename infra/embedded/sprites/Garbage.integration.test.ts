/** A client that sends nonsense gets an answer or a closed connection, and everybody else is served as before. */
import type { Sprite } from "@fly/sprites"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { bash, serve, type TestServer, until } from "./testing/TestSprites.ts"

describe("A client that sends nonsense", () => {
  let server: TestServer
  let sprite: Sprite
  beforeAll(async () => {
    server = await serve()
    sprite = await server.client.createSprite("garbage")
  })
  afterAll(() => server.stop())

  const authorization = () => ({ authorization: `Bearer ${server.token}` })
  const sockets = ["exec?cmd=cat&stdin=true&max_run_after_disconnect=1ms", "exec?cmd=cat&tty=true&max_run_after_disconnect=1ms", "control", "fs/watch", "proxy", "ports/watch"] // prettier-ignore
  const messages: ReadonlyArray<string | Buffer> = [
    "", "{", "null", "[]", "\u0000", "control:", "control:{", 'control:{"type":"op.start"}',
    'control:{"type":"op.start","op":"exec","args":{"cmd":[""]}}', 'control:{"type":"op.start","op":"exec","args":"x"}',
    'control:{"type":"op.start","op":"exec","args":{"cmd":["a\\u0000b"]}}',
    'control:{"type":"op.start","op":"fs.read","args":{"path":"/etc/shadow"}}',
    '{"type":"subscribe","paths":[1,null,{},"/nowhere"]}', '{"type":"subscribe","paths":"x"}',
    '{"host":"../../run/sockets/agent","port":1}', '{"host":"127.0.0.1","port":1e9}', '{"host":{},"port":"x"}',
    '{"type":"resize","cols":-1,"rows":1e99}', '{"type":"signal","signal":"SIGNONSENSE"}', "x".repeat(1_000_000),
    Buffer.alloc(0), Buffer.from([255, 254]), Buffer.from([3, 0]), Buffer.from('{"type":"resize"}'), Buffer.alloc(1_000_000, 7),
  ] // prettier-ignore

  it("over a WebSocket of any kind does no harm", async () => {
    for (const path of sockets) {
      for (const message of messages) {
        const url = `${server.url.replace("http", "ws")}/v1/sprites/garbage/${path}`
        const socket = new WebSocket(url, { headers: authorization() })
        socket.on("error", () => {})
        await new Promise((resolve) => socket.once("open", resolve).once("close", resolve))
        for (let n = 0; n < 3; n++) if (socket.readyState === socket.OPEN) socket.send(message)
        // The server has read all of that when it answers this, or has gone.
        await new Promise((resolve) => {
          socket.once("pong", resolve).once("close", resolve)
          if (socket.readyState === socket.OPEN) socket.ping()
          else resolve(undefined)
        })
        socket.terminate()
      }
    }
    await until("the end of its commands", async () => (await sprite.listSessions()).length === 0, 20)
    expect((await bash(sprite, "echo fine")).stdout).toBe("fine\n")
  })

  it("over HTTP is told what is wrong", async () => {
    const base = `${server.url}/v1/sprites`
    const bodies = ["", "{", "null", "[]", '{"rules":{}}', '{"cmd":1}', '{"memory":{"limit_mb":"x"}}', '{"comment":{}}', '{"name":1,"signal":[]}', '{"profile":"privileged"}'] // prettier-ignore
    const places = [
      ["POST", ""], ["PUT", "/garbage"], ["POST", "/garbage/checkpoint"], ["PUT", "/garbage/services/x"],
      ["POST", "/garbage/services/signal"], ["POST", "/garbage/policy/network"], ["POST", "/garbage/policy/privileges"],
      ["POST", "/garbage/policy/resources"], ["PUT", "/garbage/services/..%2Fx"], ["POST", "/garbage/fs/rename"],
      ["POST", "/garbage/checkpoints/..%2F..%2Fhome/restore"], ["GET", "/%00/check"], ["GET", "/%zz"], ["PATCH", "/garbage"],
      ["GET", "/garbage/services/x/logs?lines=-1"], ["POST", "/garbage/services/x/stop?timeout=soon"],
      ["GET", "/garbage/checkpoints/__proto__"], ["GET", "/__proto__"], ["GET", "/constructor/exec"],
    ] as const // prettier-ignore
    for (const [method, path] of places) {
      for (const body of method === "GET" ? [undefined] : bodies) {
        const response = await fetch(base + path, {
          method,
          headers: authorization(),
          ...(body !== undefined && { body }),
        })
        const text = await response.text()
        expect(response.status, `${method} ${path} ${body} ${text}`).not.toBe(500)
      }
    }
    expect((await bash(sprite, "echo fine")).stdout).toBe("fine\n")
  })
})
