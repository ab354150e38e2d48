import type { Sprite } from "@fly/sprites"
import { createHash } from "node:crypto"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { WebSocket } from "ws"
import {
  bash,
  finished,
  listen,
  opened,
  processesWith,
  serve,
  type TestServer,
  until,
} from "./testing/TestSprites.ts"

describe("Commands on the local server", () => {
  let server: TestServer
  let sprite: Sprite
  beforeAll(async () => {
    server = await serve()
    sprite = await server.client.createSprite("exec")
  })
  afterAll(() => server.stop())

  it("stream both outputs and report their exit code", async () => {
    const command = sprite.spawn("bash", ["-c", "echo one; read line; echo two-$line >&2; exit 3"])
    const heard = listen(command)
    await opened(command)
    await heard.says("one\n")
    command.stdin.write("x\n")
    expect(await command.wait()).toBe(3)
    expect(heard.stderr()).toBe("two-x\n")
  })

  it("run where and with what they are told", async () => {
    await bash(sprite, "mkdir -p 'some dir'")
    const result = await sprite.execFile("bash", ["-c", 'echo "$A|$PWD|$HOME"'], {
      cwd: "/home/sprite/some dir",
      env: { A: "x=y z", HOME: "/home/sprite" },
    })
    expect(result.stdout).toBe("x=y z|/home/sprite/some dir|/home/sprite\n")
    expect((await sprite.execFile("pwd")).stdout).toBe("/home/sprite\n")
    await expect(sprite.execFile("pwd", [], { cwd: "/nowhere" })).rejects.toMatchObject({
      exitCode: 126,
      stderr: "The working directory /nowhere does not exist or may not be entered.\n",
    })
  })

  it("start with the environment of their sprite", async () => {
    const response = await fetch(`${server.url}/v1/sprites`, {
      method: "POST",
      headers: { authorization: `Bearer ${server.token}` },
      body: JSON.stringify({ name: "with-env", environment: { Mixed_Case: "kept" } }),
    })
    expect(response.status).toBe(201)
    const { stdout } = await bash(server.client.sprite("with-env"), "echo $Mixed_Case $HOME $USER")
    expect(stdout).toBe("kept /home/sprite sprite\n")
  })

  it("that do not exist end with 127, that may not be run with 126", async () => {
    await expect(sprite.execFile("no-such-program")).rejects.toMatchObject({
      exitCode: 127,
      stderr: expect.stringContaining("no-such-program: not found"),
    })
    await expect(sprite.execFile("/etc/passwd")).rejects.toMatchObject({ exitCode: 126 })
    await expect(sprite.execFile("echo", ["x".repeat(140_000)])).rejects.toMatchObject({
      exitCode: 126,
      stderr: expect.stringContaining("could not be started"),
    })
  })

  it("take long scripts", async () => {
    const script = `: '${"x".repeat(120_000)}'; echo done`
    expect((await sprite.execFile("bash", ["-c", script])).stdout).toBe("done\n")
  })

  it("may open /dev/stdout and /dev/stderr", async () => {
    const { stdout, stderr } = await bash(sprite, "echo a > /dev/stdout; echo b | tee /dev/stderr >/dev/null")
    expect([stdout, stderr]).toEqual(["a\n", "b\n"])
  })

  it("take 5 MB of input and give it back", async () => {
    const input = Buffer.alloc(5 * 1024 * 1024, "0123456789abcdef")
    const { stdout } = await finished(sprite.spawn("sha256sum"), input)
    expect(stdout).toContain(createHash("sha256").update(input).digest("hex"))
  })

  it("lose nothing of 20 MB of output", async () => {
    const { stdout } = await sprite.execFile("bash", ["-c", "head -c 20000000 /dev/zero | tr '\\0' x"], {
      maxBuffer: 30_000_000,
    })
    expect(stdout.length).toBe(20_000_000)
  })

  it("lose nothing when they are fast and many", async () => {
    const run = async (n: number) => (await sprite.execFile("echo", [`line ${n}`])).stdout
    for (let round = 0; round < 4; round++) {
      const numbers = Array.from({ length: 25 }, (_, n) => round * 25 + n)
      expect(await Promise.all(numbers.map(run))).toEqual(numbers.map((n) => `line ${n}\n`))
    }
  })

  it("obey signals by any of their names", async () => {
    for (const [signal, code] of [
      ["SIGTERM", 143],
      ["INT", 130],
      ["9", 137],
    ] as const) {
      const command = sprite.spawn("bash", ["-c", "echo up; exec sleep 1000"])
      const heard = listen(command)
      await heard.says("up")
      command.signal(signal)
      expect(await command.wait()).toBe(code)
    }
  })

  it("may handle a signal themselves", async () => {
    const command = sprite.spawn("bash", [
      "-c",
      "trap 'echo bye; exit 5' TERM; echo up; while :; do read -t 1 _; done",
    ])
    const heard = listen(command)
    await heard.says("up")
    command.kill()
    expect(await command.wait()).toBe(5)
    expect(heard.stdout()).toContain("bye")
  })

  it("take what they started with them", async () => {
    const { code } = await bash(
      sprite,
      "setsid sleep 987601 & setsid -f nohup sleep 987601 >/dev/null 2>&1; exit 4",
    )
    expect(code).toBe(4)
    await until("the sleepers to end", () => processesWith("987601").length === 0)
    const command = sprite.spawn("bash", ["-c", "setsid sleep 987602 & echo up; wait"])
    await listen(command).says("up")
    expect(processesWith("sleep\x00987602").length).toBe(1)
    command.signal("SIGKILL")
    expect(await command.wait()).toBe(137)
    await until("the sleeper to end", () => processesWith("987602").length === 0)
  })

  it("end some time after the client is gone, unless they are terminals", async () => {
    const command = sprite.spawn("bash", ["-c", "echo up; sleep 987603"], { maxRunAfterDisconnect: "500ms" })
    const session = sprite.createSession("sleep", ["987604"])
    session.on("error", () => {})
    await Promise.all([listen(command).says("up"), opened(session)])
    await until("both sessions", async () => (await sprite.listSessions()).length === 2)
    const left = Date.now()
    hangUp(command)
    hangUp(session)
    await until("the command to end", async () => (await sprite.listSessions()).length === 1)
    expect(Date.now() - left).toBeGreaterThan(400)
    const [rest] = await sprite.listSessions()
    expect(rest).toMatchObject({ command: "sleep 987604", isActive: false, tty: true })
    await drain(await sprite.killSession(rest?.id ?? "", "SIGKILL"))
    await until("no session", async () => (await sprite.listSessions()).length === 0)
  })

  it("run over plain HTTP as well", async () => {
    const result = await sprite.execFileHTTP(
      "bash",
      ["-c", "cat; head -c 2000000 /dev/zero | tr '\\0' y; echo e >&2"],
      {
        input: "in",
      },
    )
    expect(result.stdout).toBe(`in${"y".repeat(2_000_000)}`)
    expect(result.stderr).toBe("e\n")
    await expect(sprite.execFileHTTP("bash", ["-c", "exit 9"])).rejects.toMatchObject({ exitCode: 9 })
  })

  it("keep the connection of a silent command alive with empty frames", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] })
    try {
      const url = `${server.url.replace("http", "ws")}/v1/sprites/exec/exec?cmd=sleep&cmd=1000&max_run_after_disconnect=1ms`
      const socket = new WebSocket(url, { headers: { authorization: `Bearer ${server.token}` } })
      const frames: Array<number> = []
      socket.on("message", (data: Buffer, isBinary) => isBinary && frames.push(data.length))
      await new Promise((resolve) => socket.once("message", resolve))
      for (const expected of [1, 2, 3]) {
        vi.advanceTimersByTime(20_000)
        await until("an empty frame", () => frames.length === expected)
        // The server has heard our answer to its own ping once it answers ours.
        socket.ping()
        await new Promise((resolve) => socket.once("pong", resolve))
      }
      expect(frames).toEqual([0, 0, 0])
      socket.terminate()
    } finally {
      vi.useRealTimers()
    }
    await until("the command to end", async () => (await sprite.listSessions()).length === 0, 15)
  })

  it("are refused without a command, and on a sprite that does not exist", async () => {
    const status = (path: string) =>
      new Promise((resolve) => {
        const socket = new WebSocket(`${server.url.replace("http", "ws")}${path}`, {
          headers: { authorization: `Bearer ${server.token}` },
        })
        socket.on("unexpected-response", (_, response) => resolve(response.statusCode)).on("error", () => {})
      })
    expect(await status("/v1/sprites/exec/exec")).toBe(400)
    expect(await status("/v1/sprites/nobody/exec?cmd=true")).toBe(404)
    expect(await status("/v1/sprites/exec/exec/unknown")).toBe(404)
    for (const other of ["control", "proxy", "fs/watch", "ports/watch"]) {
      expect(await status(`/v1/sprites/nobody/${other}`)).toBe(404)
    }
  })
})

/** The client has no public way to leave a command. */
const hangUp = (command: unknown): void =>
  (command as { wsCmd: { ws: { close: () => void } } }).wsCmd.ws.close()

const drain = async (stream: AsyncIterable<unknown>): Promise<ReadonlyArray<unknown>> => {
  const lines: Array<unknown> = []
  for await (const line of stream) lines.push(line)
  return lines
}
