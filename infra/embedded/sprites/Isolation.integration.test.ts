import type { Sprite } from "@fly/sprites"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import {
  bash,
  listen,
  opened,
  processesWith,
  remove,
  serve,
  temporaryHome,
  type TestServer,
  until,
} from "./testing/TestSprites.ts"

const isRoot = process.getuid?.() === 0

describe("A sandbox under bubblewrap", () => {
  let server: TestServer
  let sprite: Sprite
  let other: Sprite
  beforeAll(async () => {
    process.env["TROUPE_CANARY"] = "canary-in-the-environment"
    server = await serve()
    sprite = await server.client.createSprite("inside")
    other = await server.client.createSprite("other")
  })
  afterAll(() => server.stop())

  it("is what the server promises", () => {
    expect(server.status.isolation).toBe("bubblewrap")
    expect(server.status.warning).toBeUndefined()
  })

  it("has an environment of its own, also that of its first process", async () => {
    const { stdout } = await bash(
      sprite,
      "env | cut -d= -f1 | LC_ALL=C sort; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'",
    )
    expect(stdout).not.toContain("canary")
    const keys = [
      "HOME", "HTTPS_PROXY", "HTTP_PROXY", "LANG", "LOGNAME", "NODE_USE_ENV_PROXY", "NO_PROXY", "OLDPWD", "PATH", "PWD",
      "SHELL", "SHLVL", "TERM", "USER", "_", "http_proxy", "https_proxy", "no_proxy",
    ] // prettier-ignore
    expect(stdout.split("\n").slice(0, keys.length)).toEqual(keys)
    expect((await bash(sprite, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")).stdout).not.toContain(server.token)
  })

  it("cannot make the launcher load its code", async () => {
    const result = await sprite.execFile("bash", ["-c", "echo fine"], {
      env: { LD_PRELOAD: "/home/sprite/evil.so", BASH_ENV: "/home/sprite/evil" },
    })
    expect(result.stdout).toBe("fine\n")
  })

  it("has none of the host's files and no write access to what it has", async () => {
    const { stdout } = await bash(sprite, "ls -A /; ls /home; ls -A /run /var")
    const seen = stdout.split("\n")
    for (const name of ["root", "work", "srv", "mnt", "opt", "sys", "boot", "data"])
      expect(seen).not.toContain(name)
    const absent = [
      "/etc/shadow",
      "/etc/ssh",
      "/root",
      "/var/lib",
      server.home,
      process.cwd(),
      "/etc/profile",
      "/etc/environment",
    ]
    for (const path of absent) {
      expect((await bash(sprite, `ls -d ${path}`)).code, path).not.toBe(0)
    }
    const places = [
      "/x",
      "/dev/x",
      "/etc/x",
      "/usr/x",
      "/usr/local/x",
      "/run/x",
      "/var/x",
      "/home/x",
      "/proc/x",
    ]
    expect((await bash(sprite, `for at in ${places.join(" ")}; do touch $at && echo $at; done`)).stdout).toBe(
      "",
    )
  })

  it("does not see another sandbox, its files or its processes", async () => {
    await bash(
      other,
      "echo canary > ~/private; echo canary > /tmp/private; chmod 777 ~ ~/private /tmp/private",
    )
    const session = other.spawn("sleep", ["987610"])
    await opened(session)
    const { stdout } = await bash(
      sprite,
      "grep -rs canary /home /tmp /run /dev/shm; ls /home; cat /proc/[0-9]*/cmdline | grep -ac '[9]87610'",
    )
    expect(stdout).toBe("sprite\n0\n")
    session.signal("KILL")
    await session.wait()
  })

  it("has no network but its own loopback", async () => {
    const listener = net.createServer().listen(0, "127.0.0.1")
    const unix = net.createServer().listen("\0troupe-abstract-socket")
    await new Promise((resolve) => listener.once("listening", resolve))
    const { port } = listener.address() as net.AddressInfo
    const targets = [
      `127.0.0.1/${port}`,
      `127.0.0.1/${new URL(server.url).port}`,
      "1.1.1.1/53",
      "169.254.169.254/80",
    ]
    for (const target of targets) {
      expect((await bash(sprite, `exec 3<>/dev/tcp/${target}`)).code, target).not.toBe(0)
    }
    const { stdout } = await bash(
      sprite,
      "tail -n +3 /proc/net/dev | cut -d: -f1; grep -c troupe-abstract /proc/net/unix; ls /run",
    )
    expect(stdout.split("\n").map((line) => line.trim())).toEqual(["lo", "0", ""])
    listener.close()
    unix.close()
  })

  it("has no rights, gets none, and cannot undo its mounts", async () => {
    const { stdout } = await bash(sprite, "grep -E 'Cap(Eff|Prm|Bnd)|NoNewPrivs' /proc/self/status | cut -f2")
    expect(stdout).toBe(`${"0000000000000000\n".repeat(3)}1\n`)
    for (const attempt of [
      "mount -t tmpfs none /tmp",
      "umount /usr",
      "unshare -Urm sh -c 'mount -o remount,rw,bind /usr && touch /usr/x'",
      "unshare -Urm umount /home/sprite",
      "kill -9 1 && sleep 1 && kill -0 1 && false",
      "echo 0 > /proc/sys/kernel/hostname",
      "chroot / true",
    ]) {
      expect((await bash(sprite, attempt)).code, attempt).not.toBe(0)
    }
    if (isRoot) expect(Number((await bash(sprite, "id -u")).stdout)).toBeGreaterThan(1_000_000)
  })

  it("holds no descriptor of the server", async () => {
    const { stdout } = await bash(sprite, "for fd in /proc/self/fd/*; do readlink $fd; done")
    const open = stdout
      .split("\n")
      .filter((line) => line !== "" && line !== "/dev/null" && !line.includes("/pipes/"))
    expect(open).toEqual([])
  })

  it("cannot fill the host's memory through the files that live in it", async () => {
    const { code, stderr } = await bash(sprite, "head -c 100000000 /dev/zero > /dev/shm/x")
    expect(code).toBe(1)
    expect(stderr).toContain("No space left")
  })
})

describe("A sandbox with small limits", () => {
  let server: TestServer
  let sprite: Sprite
  let bystander: Sprite
  beforeAll(async () => {
    server = await serve({ limits: { processes: 60, memoryBytes: 256 * 1024 ** 2, fileBytes: 1024 ** 2 } })
    sprite = await server.client.createSprite("bomber")
    bystander = await server.client.createSprite("bystander")
  })
  afterAll(() => server.stop())

  const withoutDelay = async () => {
    const before = Date.now()
    expect(await bash(bystander, "echo fine")).toEqual({ code: 0, stdout: "fine\n", stderr: "" })
    await server.client.getSprite("bystander")
    expect(Date.now() - before).toBeLessThan(3000)
  }

  it("bounds a fork bomb, and others go on", async () => {
    const bomb = sprite.spawn("bash", [
      "-c",
      ": 987611; bomb() { bomb | bomb & bomb; }; echo armed; bomb 2>/dev/null",
    ])
    await listen(bomb).says("armed")
    await until("the bomb to go off", () => processesWith("987611").length > 30)
    await withoutDelay()
    expect(processesWith("987611").length).toBeLessThan(75)
    bomb.signal("KILL")
    await bomb.wait()
    await until("the bomb to be gone", () => processesWith("987611").length === 0)
    expect(await bash(sprite, "echo again")).toEqual({ code: 0, stdout: "again\n", stderr: "" })
  })

  it("bounds the memory of one process", async () => {
    const { code, stderr } = await bash(
      sprite,
      "head -c 1000000000 /dev/zero | tail > /dev/null; exit ${PIPESTATUS[1]}",
    )
    expect(code).not.toBe(0)
    expect(stderr).toContain("memory exhausted")
  })

  it("bounds the memory of all its processes together, and says so", async () => {
    const eater = "(x=$(head -c 80000000 /dev/zero | tr '\\0' x); sleep 100)"
    const { code, stderr } = await bash(sprite, `for n in 1 2 3 4 5 6; do ${eater} & done; wait`)
    expect(code).toBe(137)
    expect(stderr).toContain("more than its 256 MiB of memory")
    await withoutDelay()
  })

  it("bounds the size of a file", async () => {
    expect((await bash(sprite, "head -c 2000000 /dev/zero > ~/large")).code).not.toBe(0)
    expect((await bash(sprite, "stat -c %s ~/large")).stdout).toBe("1048576\n")
  })

  it("makes a command wait whose output nobody takes", async () => {
    const url = `${server.url.replace("http", "ws")}/v1/sprites/bomber/exec`
    const script = "for ((n = 0; ; n++)); do printf %065536d 0; echo $n > ~/count; done"
    const socket = new WebSocket(`${url}?cmd=bash&cmd=-c&cmd=${encodeURIComponent(script)}`, {
      headers: { authorization: `Bearer ${server.token}` },
    })
    await new Promise((resolve) => socket.once("message", resolve))
    socket.pause()
    const count = () => {
      const file = join(server.home, "sprites", "bomber", "home", "count")
      return fs.existsSync(file) ? Number(fs.readFileSync(file, "utf8")) : 0
    }
    let last = 0
    let still = 0
    await until("the command to wait", () => {
      const now = count()
      still = now === last && now > 0 ? still + 1 : 0
      last = now
      return still > 30
    })
    expect(last * 65_536).toBeLessThan(64 * 1024 ** 2)
    socket.terminate()
  })

  it("survives a flood of output that nobody watches", async () => {
    const flood = sprite.spawn("yes", [], { maxRunAfterDisconnect: "1500ms" })
    await listen(flood).says("y")
    const before = process.memoryUsage().rss
    hangUp(flood)
    while ((await sprite.listSessions()).some((session) => session.command === "yes")) await withoutDelay()
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 ** 2)
  })
})

describe("The processes of a sandbox", () => {
  it("end with the server, even when it is killed", async () => {
    const home = temporaryHome()
    const program = `
      import * as Effect from "effect/Effect"
      import { start } from ${JSON.stringify(new URL("./LocalSprites.ts", import.meta.url).href)}
      const options = { home: ${JSON.stringify(home)}, file: ${JSON.stringify(join(home, "sprites.json"))}, unsafeLocalExec: false }
      Effect.runPromise(Effect.scoped(Effect.andThen(start(options), Effect.never)))`
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { PATH: process.env["PATH"], TMPDIR: home },
      cwd: process.cwd(),
    })
    const file = join(home, "sprites.json")
    await until("the server", () => fs.existsSync(file))
    const { url, token } = JSON.parse(fs.readFileSync(file, "utf8")) as { url: string; token: string }
    const { SpritesClient } = await import("@fly/sprites")
    const sprite = await new SpritesClient(token, { baseURL: url }).createSprite("orphan")
    const session = sprite.createSession("bash", ["-c", "setsid sleep 987612 & sleep 987612"])
    session.on("error", () => {})
    await until("the sleepers", () => processesWith("sleep\x00987612").length === 2)
    child.kill("SIGKILL")
    await until("the sleepers to end", () => processesWith("987612").length === 0)
    remove(home)
  })
})

describe("Where bubblewrap does not work", () => {
  it("commands are refused with the reason and the way out", async () => {
    const server = await serve({ bwrap: "/nonexistent/bwrap" })
    expect(server.status).toMatchObject({
      isolation: "refused",
      warning: expect.stringContaining("does not work"),
    })
    const sprite = await server.client.createSprite("refused")
    const { code, stdout, stderr } = await bash(sprite, "echo ran")
    expect([code, stdout]).toEqual([126, ""])
    expect(stderr).toContain("apt-get install bubblewrap")
    await expect(sprite.filesystem("/").readFile("/etc/passwd")).rejects.toThrow(/Commands cannot run here/)
    await server.stop()
  })

  it("they run without isolation only if the operator says so, under another user, with a warning", async () => {
    const server = await serve({ bwrap: "/nonexistent/bwrap", unsafeLocalExec: true })
    expect(server.status).toMatchObject({ isolation: "none", warning: expect.stringContaining("UNSAFE") })
    const sprite = await server.client.createSprite("unsafe")
    const { stdout } = await bash(
      sprite,
      "id -u; pwd; echo $HOME; echo ${TROUPE_CANARY-none}; cat /etc/shadow",
    )
    const home = fs.realpathSync(join(server.home, "sprites", "unsafe", "home"))
    const [uid, ...rest] = stdout.split("\n")
    expect(rest).toEqual([home, home, "none", ""])
    if (isRoot) expect(Number(uid)).toBeGreaterThan(1_000_000)
    // Its checkpoints hold its own files, and not the /tmp of this machine.
    await bash(sprite, "echo before > ~/file")
    for await (const _ of await sprite.createCheckpoint()) continue
    const kept = join(server.home, "sprites", "unsafe", "checkpoints", "v0")
    expect([fs.readdirSync(join(kept, "home")), fs.readdirSync(join(kept, "tmp"))]).toEqual([["file"], []])
    await bash(sprite, "echo after > ~/file")
    for await (const _ of await sprite.restoreCheckpoint("v0")) continue
    expect((await bash(sprite, "cat ~/file")).stdout).toBe("before\n")
    await expect(sprite.updateNetworkPolicy({ rules: [{ domain: "*", action: "allow" }] })).rejects.toThrow(
      /no network on this machine/,
    )
    const session = sprite.createSession("bash", ["--norc"], { rows: 20, cols: 70 })
    const heard = listen(session)
    await opened(session)
    session.resize(71, 21)
    session.stdin.write("until stty size | grep '21 71'; do :; done; exit 6\n")
    await session.wait()
    expect(heard.messages.at(-1)).toEqual({ type: "exit", exit_code: 6 })
    await server.stop()
  })
})

/** The client has no public way to leave a command. */
const hangUp = (command: unknown): void =>
  (command as { wsCmd: { ws: { close: () => void } } }).wsCmd.ws.close()
