import type { Sprite } from "@fly/sprites"
import * as fs from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bash, remove, serve, temporaryHome, type TestServer, until } from "../testing/TestSprites.ts"

describe("Checkpoints on the local server", () => {
  let server: TestServer
  let sprite: Sprite
  beforeAll(async () => {
    server = await serve()
    sprite = await server.client.createSprite("points")
  })
  afterAll(() => server.stop())

  const place = (...path: ReadonlyArray<string>) => join(server.home, "sprites", "points", ...path)
  const inode = (path: string) => fs.statSync(path).ino

  it("keep files, modes, links and times as they were, and give back exactly those", async () => {
    await bash(
      sprite,
      "mkdir -p d/e shut; echo one > d/e/f; chmod 640 d/e/f; ln -s e/f d/link; ln d/e/f d/twin; touch -d @1000000000 d/e/f; " +
        "echo secret > shut/x; chmod 000 shut/x shut; echo t > /tmp/t; mkfifo pipe",
    )
    const lines = await told(await sprite.createCheckpoint("first"))
    expect(lines.at(-1)).toMatchObject({ type: "complete", data: "Checkpoint v0 created" })
    expect(JSON.stringify(lines)).toContain("1 sockets, pipes or devices were left out")
    await bash(sprite, "chmod 700 shut; rm -rf d shut pipe; mkdir d; echo two > d/new; rm /tmp/t")

    expect((await told(await sprite.restoreCheckpoint("v0"))).at(-1)).toMatchObject({ type: "complete" })
    const { stdout } = await bash(
      sprite,
      "stat -c '%a %Y %h' d/e/f; readlink d/link; ls d; cat /tmp/t; stat -c %a shut; chmod 700 shut; stat -c %a shut/x; chmod 600 shut/x; cat shut/x",
    )
    expect(stdout).toBe("640 1000000000 2\ne/f\ne\nlink\ntwin\nt\n0\n0\nsecret\n")
  })

  it("share what did not change, and a change in place does not reach into them", async () => {
    await bash(sprite, "head -c 300000 /dev/urandom > big; echo a > small")
    // A file must have rested for a moment to be known as unchanged.
    await bash(sprite, "sleep 0.1")
    await told(await sprite.createCheckpoint())
    await bash(sprite, "echo b >> small")
    const lines = await told(await sprite.createCheckpoint())
    const [newest, before] = await sprite.listCheckpoints()
    const kept = (id: string | undefined, file: string) => place("checkpoints", id ?? "", "home", file)
    expect(inode(kept(newest?.id, "big"))).toBe(inode(kept(before?.id, "big")))
    expect(inode(kept(newest?.id, "small"))).not.toBe(inode(kept(before?.id, "small")))
    expect(inode(kept(newest?.id, "big"))).not.toBe(inode(place("home", "big")))
    expect(JSON.stringify(lines)).toMatch(/ \d{1,2} of them read/)
    const original = fs.readFileSync(kept(newest?.id, "big"))
    // Same size, same modification time: only the kernel's change time tells.
    await bash(sprite, "t=$(stat -c %Y big); printf X | dd of=big conv=notrunc 2>/dev/null; touch -d @$t big")
    expect(fs.readFileSync(kept(newest?.id, "big")).equals(original)).toBe(true)
    await told(await sprite.createCheckpoint())
    const [changed] = await sprite.listCheckpoints()
    expect(fs.readFileSync(kept(changed?.id, "big"), "latin1").startsWith("X")).toBe(true)
    expect(changed?.sourceId).toBe(newest?.id)
  })

  it("do not end commands when they are taken, and end them when one is restored", async () => {
    const session = sprite.createSession("sleep", ["1000"])
    session.on("error", () => {})
    await new Promise((resolve) => session.on("spawn", resolve))
    await told(await sprite.createCheckpoint())
    expect(await sprite.listSessions()).toHaveLength(1)
    await told(await sprite.restoreCheckpoint("v0"))
    expect(await sprite.listSessions()).toEqual([])
  })

  it("cannot be seen or changed by a command", async () => {
    const found = await bash(sprite, "ls -A /run; cat /proc/self/mounts | grep -c checkpoint")
    expect(found.stdout).toBe("0\n")
    await expect(sprite.filesystem("/").readdir("/run/checkpoints")).rejects.toMatchObject({ code: "ENOENT" })
  })

  it("hold nothing of the host, whatever links a command plants while one is taken", async () => {
    const secret = join(server.home, "secret")
    fs.writeFileSync(secret, "the host's secret")
    const script = `mkdir -p race real; echo fine > real/f; while :; do ln -sfn ~/real race/d; ln -sfn ${server.home} race/d; rm race/d; cp -r real race/d; rm -r race/d; done`
    const race = sprite.spawn("bash", ["-c", script])
    race.on("error", () => {})
    await new Promise((resolve) => race.on("spawn", resolve))
    for (let n = 0; n < 3; n++) await told(await sprite.createCheckpoint())
    race.signal("KILL")
    await race.wait()
    const texts = (directory: string): ReadonlyArray<string> =>
      fs
        .readdirSync(directory, { withFileTypes: true })
        .flatMap((entry) =>
          entry.isDirectory()
            ? texts(join(directory, entry.name))
            : entry.isFile()
              ? [fs.readFileSync(join(directory, entry.name), "utf8")]
              : [],
        )
    expect(texts(place("checkpoints")).join()).not.toContain("the host's secret")
  })

  it("are deleted, and numbers are not used again", async () => {
    const [newest] = await sprite.listCheckpoints()
    const response = await fetch(`${server.url}/v1/sprites/points/checkpoints/${newest?.id}`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${server.token}` },
    })
    expect(response.status).toBe(204)
    await expect(sprite.getCheckpoint(newest?.id ?? "")).rejects.toThrow()
    await told(await sprite.createCheckpoint())
    const [next] = await sprite.listCheckpoints()
    expect(Number(next?.id.slice(1))).toBe(Number(newest?.id.slice(1)) + 1)
  })
})

describe("A server that was stopped", () => {
  it("still has the checkpoints, the policy and the services of its sprites, and serves them again", async () => {
    const home = temporaryHome()
    const first = await serve({ home })
    const sprite = await first.client.createSprite("stay")
    await bash(sprite, "echo kept > file")
    await told(await sprite.createCheckpoint("keep"))
    await sprite.updateNetworkPolicy({ rules: [{ domain: "example.com", action: "allow" }] })
    await told(
      await sprite.createService(
        "web",
        { cmd: "bash", args: ["-c", "echo on >> ~/starts; sleep 1000"] },
        "300ms",
      ),
    )
    await first.stop()

    const second = await serve({ home })
    const again = second.client.sprite("stay")
    const serving = async () => (await again.getService("web")).state?.status === "running"
    await until("the service", serving)
    expect((await again.listCheckpoints()).map(({ id, comment }) => [id, comment])).toEqual([["v0", "keep"]])
    expect((await again.getNetworkPolicy()).rules).toEqual([{ domain: "example.com", action: "allow" }])
    await bash(again, "echo changed > file")
    await told(await again.restoreCheckpoint("v0"))
    expect((await bash(again, "cat file")).stdout).toBe("kept\n")
    expect(await serving()).toBe(true)
    await second.stop()
    remove(home)
  })

  it("finishes a restore that was complete, and drops one that was not", async () => {
    const home = temporaryHome()
    const first = await serve({ home })
    for (const name of ["complete", "partial"]) {
      const sprite = await first.client.createSprite(name)
      await bash(sprite, "echo old > file; echo old > /tmp/file")
    }
    await first.stop()
    for (const name of ["complete", "partial"]) {
      const at = (...path: ReadonlyArray<string>) => join(home, "sprites", name, ...path)
      const { uid } = fs.statSync(at("home"))
      // As if it had died after the home was put in place and before /tmp was.
      fs.mkdirSync(at("restoring"))
      fs.cpSync(at("tmp"), at("restoring", "tmp"), { recursive: true })
      fs.writeFileSync(at("restoring", "tmp", "file"), "new\n")
      fs.chownSync(at("restoring", "tmp"), uid, uid)
      if (name === "complete") fs.writeFileSync(at("restoring.ready"), "")
    }
    const second = await serve({ home })
    expect((await bash(second.client.sprite("complete"), "cat file /tmp/file")).stdout).toBe("old\nnew\n")
    expect((await bash(second.client.sprite("partial"), "cat file /tmp/file")).stdout).toBe("old\nold\n")
    expect(fs.existsSync(join(home, "sprites", "partial", "restoring"))).toBe(false)
    await second.stop()
    remove(home)
  })
})

const told = async (stream: AsyncIterable<object>): Promise<ReadonlyArray<object>> => {
  const lines: Array<object> = []
  for await (const line of stream) lines.push(line)
  return lines
}
