import type { Sprite } from "@fly/sprites"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bash, listen, opened, processesWith, serve, type TestServer, until } from "./testing/TestSprites.ts"

describe("Sessions on the local server", () => {
  let server: TestServer
  let sprite: Sprite
  beforeAll(async () => {
    server = await serve({ limits: { sessions: 6 } })
    sprite = await server.client.createSprite("sessions")
  })
  afterAll(() => server.stop())

  const shell = async (options = {}) => {
    const command = sprite.createSession("bash", ["--norc"], options)
    const heard = listen(command)
    await opened(command)
    await until("its number", () => heard.messages.length > 0)
    const id = String(heard.messages[0]?.["session_id"])
    return { command, heard, id }
  }
  const attach = async (id: string) => {
    const command = sprite.attachSession(id)
    const heard = listen(command)
    await opened(command)
    return { command, heard, id }
  }
  const kill = async (id: string, signal?: string, timeout?: string) => {
    const lines: Array<{ type: string; exitCode?: number | undefined }> = []
    for await (const line of await sprite.killSession(id, signal, timeout)) lines.push(line)
    return lines
  }

  it("are terminals with a size, that follow a resize and tell their exit code", async () => {
    const { command, heard } = await shell({ rows: 30, cols: 100 })
    expect(heard.messages[0]).toMatchObject({
      rows: 30,
      cols: 100,
      is_owner: true,
      tty: true,
      command: "bash --norc",
    })
    command.stdin.write("stty size; tty; echo $TERM\n")
    await heard.says("30 100\r\n/dev/pts/0\r\nxterm-256color\r\n")
    command.resize(132, 50)
    command.stdin.write("until stty size | grep '50 132'; do :; done; exit 7\n")
    await command.wait()
    expect(heard.messages.at(-1)).toEqual({ type: "exit", exit_code: 7 })
  })

  it("take a size that comes at once", async () => {
    const { command, heard } = await shell()
    command.resize(91, 31)
    command.stdin.write("until stty size | grep '31 91'; do :; done; exit\n")
    await command.wait()
    expect(heard.stdout()).toContain("31 91\r\n")
  })

  it("go on when the client leaves, and show the next one what was said, and the state of the shell", async () => {
    const first = await shell()
    first.command.stdin.write("cd /tmp; export WORD=kept; echo marker-$((1+1))\n")
    await first.heard.says("marker-2")
    hangUp(first.command)
    const again = await attach(first.id)
    expect(again.heard.messages[0]).toMatchObject({ session_id: first.id, is_owner: false, tty: true })
    await again.heard.says("marker-2")
    again.command.stdin.write("echo $WORD:$PWD; exit 3\n")
    await again.heard.says("kept:/tmp")
    await again.command.wait()
    expect(again.heard.messages.at(-1)).toEqual({ type: "exit", exit_code: 3 })
  })

  it("are shared by all who are attached", async () => {
    const first = await shell()
    const second = await attach(first.id)
    second.command.stdin.write("echo from-$((40+2))\n")
    await Promise.all([first.heard.says("from-42"), second.heard.says("from-42")])
    first.command.stdin.write("exit\n")
    await Promise.all([first.command.wait(), second.command.wait()])
  })

  it("without a terminal replay each stream as itself", async () => {
    const command = sprite.spawn("bash", ["-c", "echo out; echo err >&2; read _; exit 5"])
    await listen(command).says("out")
    const [listed] = await sprite.listSessions()
    expect(listed).toMatchObject({ isActive: true, tty: false, workdir: "/home/sprite" })
    const again = await attach(listed?.id ?? "")
    again.command.stdin.write("\n")
    expect(await again.command.wait()).toBe(5)
    expect([again.heard.stdout(), again.heard.stderr()]).toEqual(["out\n", "err\n"])
    expect(await command.wait()).toBe(5)
  })

  it("keep the last MiB of output", async () => {
    const { command, id } = await shell()
    command.stdin.write("stty -echo; head -c 3000000 /dev/zero | tr '\\0' z; echo; echo the-$((5+5))-end\n")
    await listen(command).says("the-10-end")
    const again = await attach(id)
    await again.heard.says("the-10-end")
    expect(again.heard.stdout().length).toBeGreaterThan(1_000_000)
    expect(again.heard.stdout().length).toBeLessThan(1_100_000)
    await kill(id, "SIGKILL")
  })

  it("end by a kill that tells what happened", async () => {
    const command = sprite.spawn("sleep", ["1000"])
    await opened(command)
    const [{ id } = { id: "" }] = await sprite.listSessions()
    expect((await kill(id)).map((line) => [line.type, line.exitCode])).toEqual([
      ["signal", undefined],
      ["exited", undefined],
      ["complete", 143],
    ])
    expect(await command.wait()).toBe(143)
    await expect(sprite.killSession(id)).rejects.toMatchObject({ statusCode: 404 })
  })

  it("are killed when they ignore the signal for too long", async () => {
    const { command, heard, id } = await shell()
    command.stdin.write("trap '' TERM; echo armed-$((1+1))\n")
    await heard.says("armed-2")
    expect((await kill(id, "TERM", "200ms")).map((line) => line.type)).toEqual([
      "signal",
      "timeout",
      "killed",
      "complete",
    ])
    await command.wait()
    expect(heard.messages.at(-1)).toEqual({ type: "exit", exit_code: 137 })
  })

  it("interrupt what runs in the foreground of a terminal, and not the shell", async () => {
    const { command, heard } = await shell()
    command.stdin.write("sleep 987605\n")
    await until("the sleep", () => processesWith("sleep\x00987605").length === 1)
    command.signal("INT")
    await until("the sleep to be interrupted", () => processesWith("sleep\x00987605").length === 0)
    command.stdin.write("echo alive-$?\n")
    await heard.says("alive-130")
    command.stdin.write("exit 0\n")
    await command.wait()
  })

  it("are limited in number, with a reason in the answer", async () => {
    const commands = Array.from({ length: 6 }, () => sprite.spawn("sleep", ["1000"]))
    await Promise.all(commands.map(opened))
    await expect(sprite.execFileHTTP("true")).rejects.toMatchObject({
      statusCode: 429,
      errorCode: "too_many_sessions",
    })
    for (const command of commands) command.signal("KILL")
    await Promise.all(commands.map((command) => command.wait()))
    expect((await bash(sprite, "echo free")).stdout).toBe("free\n")
  })
})

/** The client has no public way to leave a command. */
const hangUp = (command: unknown): void =>
  (command as { wsCmd: { ws: { close: () => void } } }).wsCmd.ws.close()
