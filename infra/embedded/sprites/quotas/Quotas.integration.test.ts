import type { Sprite } from "@fly/sprites"
import * as fs from "node:fs"
import * as os from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bash, listen, opened, processesWith, serve, type TestServer, until } from "../testing/TestSprites.ts"
import { Cgroups } from "./Cgroups.ts"

const mebibyte = 1024 ** 2

describe("A sprite", () => {
  let server: TestServer
  let sprite: Sprite
  let neighbour: Sprite
  beforeAll(async () => {
    server = await serve({
      limits: { diskBytes: 24 * mebibyte, diskEntries: 3000, cpuSeconds: 2, sessions: 3, idleMillis: 60_000 },
    })
    sprite = await server.client.createSprite("filler")
    neighbour = await server.client.createSprite("neighbour")
  })
  afterAll(() => server.stop())

  it("that fills the disk has its commands ended, may then only delete, and then write again", async () => {
    const filler = "for ((n = 0; ; n++)); do head -c 1000000 /dev/zero > ~/f$n; sleep 0.01; done"
    const { code, stderr } = await bash(sprite, filler)
    expect(code).toBe(137)
    expect(stderr).toContain("larger than its 24 MiB; its commands were ended. Delete files")
    expect((await bash(sprite, "echo x > ~/more")).code).not.toBe(0)
    expect((await bash(sprite, "cat ~/f0 | wc -c")).stdout).toBe("1000000\n")
    await expect(sprite.filesystem("/home/sprite").writeFile("more", "x")).rejects.toThrow()
    expect((await bash(neighbour, "echo x > ~/fine && cat ~/fine")).stdout).toBe("x\n")
    expect((await bash(sprite, "rm ~/f*")).code).toBe(0)
    expect((await bash(sprite, "echo fits > ~/more; cat ~/more")).stdout).toBe("fits\n")
    await sprite.filesystem("/home/sprite").writeFile("more", "again")
  })

  it("cannot hide what it writes by shutting its directories, nor reserve space without writing", async () => {
    const hidden =
      "mkdir -p ~/h && chmod 300 ~/h; for ((n = 0; ; n++)); do fallocate -l 1000000 ~/h/f$n; sleep 0.01; done"
    const { code, stderr } = await bash(sprite, hidden)
    expect([code, stderr]).toEqual([137, expect.stringContaining("larger than its 24 MiB")])
    await bash(sprite, "chmod 700 ~/h; rm -r ~/h")
  })

  it("is held to a number of files", async () => {
    const many =
      "mkdir -p ~/many; cd ~/many; for ((n = 0; ; n++)); do for m in {1..100}; do : > f$n-$m; done; sleep 0.02; done"
    const { code, stderr } = await bash(sprite, many)
    expect([code, stderr]).toEqual([137, expect.stringContaining("more than its 3000 files")])
    await bash(sprite, "rm -r ~/many")
  })

  it("counts its checkpoints, and takes none for which there is no room", async () => {
    await bash(sprite, "head -c 14000000 /dev/urandom > ~/half")
    const lines: Array<object> = []
    for await (const line of await sprite.createCheckpoint()) lines.push(line)
    expect(lines.at(-1)).toMatchObject({ type: "error", error: expect.stringContaining("no room for it") })
    expect(await sprite.listCheckpoints()).toEqual([])
    await bash(sprite, "rm ~/half")
  })

  it("has a limit of CPU time for each command, with all that it starts", async () => {
    const { code, stderr } = await bash(sprite, "for n in 1 2 3; do (while :; do :; done) & done; wait")
    expect([code, stderr]).toEqual([137, expect.stringContaining("more than its 2 s of CPU time")])
  })

  it("has a limit of commands at once", async () => {
    const running = [1, 2, 3].map(() => sprite.spawn("sleep", ["987620"]))
    await Promise.all(running.map((command) => opened(command)))
    await expect(sprite.execFileHTTP("true")).rejects.toMatchObject({
      statusCode: 429,
      errorCode: "too_many_sessions",
    })
    for (const command of running) command.signal("KILL")
    await Promise.all(running.map((command) => command.wait()))
    expect((await bash(sprite, "echo again")).stdout).toBe("again\n")
  })

  it("may be given less memory than the server's limit, and not more", async () => {
    await sprite.updateResourcesPolicy({ memory: { limitMB: 64 } })
    const eater = "(x=$(head -c 30000000 /dev/zero | tr '\\0' x); sleep 100)"
    const { code, stderr } = await bash(sprite, `for n in 1 2 3; do ${eater} & done; wait`)
    expect([code, stderr]).toEqual([137, expect.stringContaining("more than its 64 MiB of memory")])
    // What serves its files needs its room all the same.
    await sprite.filesystem("/home/sprite").writeFile("written", "x")
    await expect(sprite.updateResourcesPolicy({ memory: { limitMB: 1_000_000 } })).rejects.toThrow(/400/)
    await sprite.deleteResourcesPolicy()
  })
})

describe("A sprite that nobody uses", () => {
  it("is stopped, says so, and wakes with its files and services", async () => {
    const server = await serve({ limits: { idleMillis: 500 } })
    const sprite = await server.client.createSprite("idle")
    const status = async () => (await server.client.getSprite("idle")).status
    for await (const _ of await sprite.createService("web", { cmd: "sleep", args: ["987621"] }, "10ms"))
      continue
    await bash(sprite, "echo kept > file")
    const session = sprite.createSession("sleep", ["987622"])
    const heard = listen(session)
    await opened(session)
    // Somebody is attached: it is in use, however quiet.
    await until("some looks", async () => (await bash(sprite, "sleep 1.2")).code === 0)
    expect(await sprite.listSessions()).toHaveLength(1)
    ;(session as unknown as { wsCmd: { ws: { close: () => void } } }).wsCmd.ws.close()
    await until("the stop", async () => (await status()) === "cold")
    expect(processesWith("sleep\x00987621")).toEqual([])
    expect(processesWith("sleep\x00987622")).toEqual([])
    expect(heard.messages.some(({ type }) => type === "exit")).toBe(false)
    expect((await bash(sprite, "cat file")).stdout).toBe("kept\n")
    await until("the service", () => processesWith("sleep\x00987621").length > 0)
    await server.stop()
  })
})

describe("A disk that is nearly full", () => {
  it("is not filled by a sandbox: the one that grew most is ended, and may only delete", async () => {
    const server = await serve({ limits: { diskReserveBytes: 2 ** 60 } })
    const sprite = await server.client.createSprite("last")
    const { code, stderr } = await bash(sprite, "sleep 1000")
    expect([code, stderr]).toEqual([137, expect.stringContaining("the disk of this machine is nearly full")])
    expect((await bash(sprite, "echo x > ~/x")).code).not.toBe(0)
    await server.stop()
  })
})

describe("Cgroups", () => {
  const group = (controllers: string) => {
    const place = fs.mkdtempSync(join(os.tmpdir(), "troupe-test-cgroup-"))
    fs.writeFileSync(join(place, "cgroup.controllers"), controllers)
    fs.writeFileSync(join(place, "cgroup.subtree_control"), "")
    return place
  }

  it("are not used where they cannot hold anybody to anything, and the reason is said", () => {
    const place = group("hugetlb pids")
    expect(Cgroups.open("x", { memoryBytes: 1, processes: 1 }, [place])).toMatch(
      /controllers? memory are not offered/,
    )
    expect(Cgroups.open("x", { memoryBytes: 1, processes: 1 }, [])).toMatch(/no cgroup version 2/)
    fs.rmSync(place, { recursive: true })
  })

  it("are passed on to the groups below, in the words of the kernel", () => {
    const place = group("cpu memory pids")
    fs.mkdirSync(join(place, "troupe-sprites-x"))
    fs.writeFileSync(join(place, "troupe-sprites-x", "cgroup.controllers"), "memory pids")
    const cgroups = Cgroups.open("x", { memoryBytes: 1000, processes: 7 }, [place])
    if (typeof cgroups === "string") throw new Error(cgroups)
    cgroups.join("one", 4242, 900)
    const written = (...path: ReadonlyArray<string>) => fs.readFileSync(join(place, ...path), "utf8")
    expect(written("cgroup.subtree_control")).toBe("+memory +pids")
    expect(written("troupe-sprites-x", "cgroup.subtree_control")).toBe("+memory +pids")
    expect(
      ["memory.max", "pids.max", "cgroup.procs"].map((file) => written("troupe-sprites-x", "one", file)),
    ).toEqual([String(900 + 256 * mebibyte), "103", "4242"])
    fs.rmSync(place, { recursive: true })
  })
})
