/** The server as an ordinary user: other namespaces, the same promises. */
import { type Sprite, SpritesClient } from "@fly/sprites"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bash, listen, opened, remove, temporaryHome, until } from "./testing/TestSprites.ts"

const nobody = 65_534
const here = dirname(fileURLToPath(import.meta.url))

/** Root lends the server another user, unless that user could not read this repository. */
const uid = (): number | undefined => {
  const open = (path: string): boolean =>
    (fs.statSync(path).mode & 0o001) !== 0 && (dirname(path) === path || open(dirname(path)))
  return process.getuid?.() === 0 && open(here) && open(dirname(process.execPath))
    ? nobody
    : process.getuid?.()
}

describe("The local server as an ordinary user", () => {
  const home = temporaryHome()
  let child: ChildProcess
  let client: SpritesClient
  let sprite: Sprite
  let status: { readonly isolation: string; readonly limits: ReadonlyArray<string> }
  beforeAll(async () => {
    const owner = uid()
    if (owner !== undefined) fs.chownSync(home, owner, owner)
    const file = join(home, "sprites.json")
    const options = {
      home,
      file,
      unsafeLocalExec: false,
      limits: { processes: 80, memoryBytes: 512 * 1024 ** 2 },
    }
    const program = `
      import * as Effect from "effect/Effect"
      import { start } from ${JSON.stringify(new URL("./LocalSprites.ts", import.meta.url).href)}
      const run = Effect.gen(function* () {
        const { status } = yield* start(${JSON.stringify(options)})
        console.log(JSON.stringify(status))
        return yield* Effect.never
      })
      Effect.runPromise(Effect.scoped(run))`
    child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env["PATH"], TMPDIR: home, HOME: home },
      cwd: process.cwd(),
      ...(owner === undefined ? {} : { uid: owner, gid: owner }),
    })
    let said = ""
    child.stdout?.on("data", (bytes: Buffer) => (said += bytes.toString()))
    await until("the server", () => said.includes("\n"), 30)
    status = JSON.parse(said) as typeof status
    const { url, token } = JSON.parse(fs.readFileSync(file, "utf8")) as { url: string; token: string }
    client = new SpritesClient(token, { baseURL: url })
    sprite = await client.createSprite("plain")
  })
  afterAll(async () => {
    child.kill("SIGKILL")
    await until("its end", () => child.signalCode !== null)
    remove(home)
  })

  it("isolates by bubblewrap, with one network a sprite", async () => {
    expect(status.isolation).toBe("bubblewrap")
    expect(status.limits.join("\n")).toContain("to the hosts that a sprite's policy allows")
    const { stdout } = await bash(
      sprite,
      "grep -E 'CapEff|NoNewPrivs' /proc/self/status | cut -f2; ls /root; ls -A /home",
    )
    expect(stdout).toBe("0000000000000000\n1\nsprite\n")
    expect((await bash(sprite, "unshare -Ur id")).code).not.toBe(0)
  })

  it("lets the commands of a sprite, and nobody else, meet on its loopback", async () => {
    const other = await client.createSprite("other")
    const server = sprite.spawn("perl", ["-MIO::Socket", "-e", '$s=IO::Socket::INET->new(LocalAddr=>"127.0.0.1",LocalPort=>4243,Listen=>5);while($c=$s->accept){print $c "met\\n";close $c}']) // prettier-ignore
    server.on("error", () => {})
    const meet = "exec 3<>/dev/tcp/127.0.0.1/4243 && cat <&3"
    await until("the port", async () => (await bash(sprite, meet)).stdout === "met\n")
    expect((await bash(other, meet)).code).not.toBe(0)
    server.signal("KILL")
    await server.wait()
  })

  it("opens the way out only by policy", async () => {
    await sprite.updateNetworkPolicy({ rules: [{ domain: "*", action: "allow" }] })
    const ask =
      "exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT localhost:22 HTTP/1.1\\r\\n\\r\\n' >&3; head -1 <&3"
    expect((await bash(sprite, ask)).stdout).toContain("403 localhost is not on the public internet")
    expect((await bash(sprite, "exec 3<>/dev/tcp/1.1.1.1/443")).code).not.toBe(0)
  })

  it("keeps files, checkpoints, terminals and services", async () => {
    await sprite.filesystem("/home/sprite").writeFile("file", "before")
    for await (const _ of await sprite.createCheckpoint("one")) continue
    await bash(sprite, "echo after > file; chmod 500 ~")
    const lines: Array<object> = []
    for await (const line of await sprite.restoreCheckpoint("v0")) lines.push(line)
    expect(lines.at(-1)).toMatchObject({ type: "complete" })
    expect((await bash(sprite, "cat file")).stdout).toBe("before")
    const session = sprite.createSession("bash", ["--norc"], { rows: 20, cols: 70 })
    const heard = listen(session)
    await opened(session)
    session.resize(71, 21)
    session.stdin.write("until stty size | grep '21 71'; do :; done; exit 6\n")
    await session.wait()
    expect(heard.messages.at(-1)).toEqual({ type: "exit", exit_code: 6 })
    for await (const _ of await sprite.createService("web", { cmd: "sleep", args: ["100"] }, "10ms")) continue
    expect((await sprite.getService("web")).state?.status).toBe("running")
    expect((await sprite.check()).status).toBe("ok")
    await sprite.delete()
    expect(fs.existsSync(join(home, "sprites", "plain"))).toBe(false)
  })

  it("bounds a fork bomb over all commands of a sprite", async () => {
    const bomber = await client.createSprite("bomber")
    const bomb = "for ((n = 0; n < 60; n++)); do sleep 987640 & done; wait"
    // What is not killed sleeps on.
    const first = await Promise.race([1, 2, 3].map(() => bash(bomber, `${bomb} 2>/dev/null`)))
    expect([first.code, first.stderr]).toEqual([137, expect.stringContaining("more than its 80 processes")])
    await bomber.delete()
    const [other] = await client.listAllSprites("other")
    expect((await bash(other ?? sprite, "echo well")).stdout).toBe("well\n")
  })
})
