import type { FilesystemError, Sprite, SpriteFilesystem } from "@fly/sprites"
import * as fs from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bash, serve, type TestServer } from "./testing/TestSprites.ts"

describe("Files on the local server", () => {
  let server: TestServer
  let sprite: Sprite
  let files: SpriteFilesystem
  beforeAll(async () => {
    server = await serve({ limits: { fileBytes: 32 * 1024 * 1024 } })
    sprite = await server.client.createSprite("files")
    files = sprite.filesystem("/home/sprite")
  })
  afterAll(() => server.stop())

  const code = (promise: Promise<unknown>) =>
    promise.then(
      () => "success",
      (error: FilesystemError) => error.code,
    )

  it("are the same for commands and for the file API, below the home and below /tmp", async () => {
    await files.writeFile("a/b/c.txt", "hello")
    await files.writeFile("/tmp/t.txt", "temporary")
    expect((await bash(sprite, "cat ~/a/b/c.txt /tmp/t.txt; stat -c %U ~/a/b/c.txt")).stdout).toBe(
      "hellotemporarysprite\n",
    )
    await bash(sprite, "echo back > ~/a/b/d.txt")
    expect(await files.readFile("a/b/d.txt", "utf8")).toBe("back\n")
  })

  it("carry 8 MB of any bytes", async () => {
    const bytes = Buffer.from(Uint8Array.from({ length: 8_000_000 }, (_, n) => (n * 7 + (n >> 8)) & 255))
    await files.writeFile("big.bin", bytes)
    const back = (await files.readFile("big.bin", null)) as Buffer
    expect(back.equals(bytes)).toBe(true)
  })

  it("are appended to, and hold JSON", async () => {
    await files.appendFile("log", "one\n")
    await files.appendFile("log", "two\n")
    expect(await files.readFile("log", "utf8")).toBe("one\ntwo\n")
    await files.writeJSON("x.json", { a: [1] })
    expect(await files.readJSON("x.json")).toEqual({ a: [1] })
  })

  it("have modes and sizes", async () => {
    await files.writeFile("m", "12345", { mode: 0o640 })
    const stats = await files.stat("m")
    expect([stats.size, stats.mode, stats.isFile()]).toEqual([5, 0o640, true])
    await files.chmod("m", 0o755)
    expect((await files.stat("m")).mode).toBe(0o755)
    await files.writeFile("dir/one/two", "x")
    await files.chmod("dir", 0o700, { recursive: true })
    expect((await files.stat("dir/one/two")).mode).toBe(0o700)
  })

  it("are listed, also deeply and by pattern", async () => {
    await bash(
      sprite,
      "mkdir -p list/sub && touch list/a.txt list/b.md list/sub/c.txt && ln -s a.txt list/link",
    )
    expect(await files.readdir("list")).toEqual(["a.txt", "b.md", "link", "sub"])
    expect(await files.readdir("list", { recursive: true })).toEqual([
      "a.txt",
      "b.md",
      "link",
      "sub",
      "sub/c.txt",
    ])
    expect(await files.readdir("list", { recursive: true, pattern: "*.txt" })).toEqual(["a.txt", "sub/c.txt"])
    const typed = await files.readdir("list", { withFileTypes: true })
    expect(typed.map((entry) => [entry.isDirectory(), entry.isSymbolicLink()])).toEqual([
      [false, false],
      [false, false],
      [false, true],
      [true, false],
    ])
  })

  it("are made, renamed, copied and deleted", async () => {
    await files.mkdir("made")
    expect(await files.readdir("made")).toEqual([])
    await files.mkdir("deep/er", { recursive: true })
    expect(await code(files.mkdir("no/such/parent"))).toBe("ENOENT")
    await files.writeFile("from", "x")
    await files.rename("from", "made/to")
    expect(await files.exists("from")).toBe(false)
    await files.copyFile("made/to", "copy")
    expect(await files.readFile("copy", "utf8")).toBe("x")
    expect(await code(files.copyFile("made", "made2"))).toBe("EISDIR")
    await files.copyFile("made", "made2", { recursive: true })
    expect(await files.readdir("made2")).toEqual(["to"])
    expect(await code(files.copyFile("made", "made/in", { recursive: true }))).toBe("EINVAL")
    expect(await code(files.rm("made"))).toBe("ENOTEMPTY")
    await files.rm("made", { recursive: true })
    expect(await code(files.rm("made"))).toBe("ENOENT")
    await files.rm("made", { force: true })
    await files.rm("deep/er")
    expect(await code(files.rm("/home/sprite", { recursive: true }))).toBe("EPERM")
  })

  it("fail with the codes of the kernel", async () => {
    await files.writeFile("file", "x")
    expect(await code(files.readFile("missing"))).toBe("ENOENT")
    expect(await code(files.readFile("/home/sprite"))).toBe("EISDIR")
    expect(await code(files.readFile("file/below"))).toBe("ENOTDIR")
    expect(await code(files.writeFile("/usr/bin/x", "x"))).toMatch(/EACCES|UNKNOWN/)
    expect(await code(files.readFile("/dev/zero"))).toBe("EINVAL")
    await bash(sprite, "mkfifo pipe")
    expect(await code(files.readFile("pipe"))).toBe("EINVAL")
    expect(await code(files.rename("missing", "x"))).toBe("ENOENT")
    expect(await code(server.client.sprite("nobody").filesystem("/").readFile("/x"))).toBe("UNKNOWN")
  })

  it("belong to the one user of the sandbox; another owner is refused", async () => {
    await files.writeFile("mine", "x")
    expect(await code(files.chown("mine", { uid: "sprite", gid: "sprite" }))).toBe("success")
    expect(await code(files.chown("mine", { uid: 0 }))).toMatch(/EPERM|EINVAL/)
    expect(await code(files.chown("mine", { uid: "daemon" }))).toBe("EINVAL")
  })

  it("cannot be larger than the limit, and the file server survives that", async () => {
    expect(await code(files.writeFile("huge", Buffer.alloc(40 * 1024 * 1024)))).toBe("UNKNOWN")
    await files.writeFile("small", "x")
    expect(await files.readFile("small", "utf8")).toBe("x")
  })

  it("of the host stay out of reach through links and dots", async () => {
    const secret = join(server.home, "secret")
    fs.writeFileSync(secret, "the host's secret")
    await bash(
      sprite,
      `ln -s ${secret} abs; ln -s ${server.home} dir; ln -s ../../../../../../../..${secret} rel; ln -s /etc/shadow shadow`,
    )
    for (const path of [
      "abs",
      "dir/secret",
      "rel",
      `../../..${secret}`,
      secret,
      "shadow",
      "/etc/shadow",
      "/proc/1/root/etc/shadow",
    ]) {
      expect(await code(files.readFile(path)), path).toMatch(/ENOENT|EACCES/)
    }
    expect(await code(files.copyFile("abs", "stolen"))).toBe("ENOENT")
    for (const path of ["abs", "dir/new", `../../../../..${secret}`]) {
      await files.writeFile(path, "overwritten").catch(() => {})
    }
    await files.rm("dir/secret").catch(() => {})
    await files.chmod("abs", 0o777).catch(() => {})
    expect(fs.readFileSync(secret, "utf8")).toBe("the host's secret")
    expect(fs.readdirSync(server.home).sort()).toEqual(["secret", "sprites", "sprites.json"])
  })

  it("of the host stay out of reach while a link is exchanged under the reader", async () => {
    const secret = join(server.home, "raced")
    fs.writeFileSync(secret, "the host's secret")
    const race = sprite.spawn("bash", [
      "-c",
      `echo fine > ok; while :; do ln -sfn ~/ok race; ln -sfn ${secret} race; done`,
    ])
    race.on("error", () => {})
    const seen = new Set<string>()
    const deadline = Date.now() + 1500
    while (Date.now() < deadline) {
      const found = await Promise.all(
        Array.from({ length: 8 }, () =>
          files.readFile("race", "utf8").then(
            (text) => String(text),
            (error: FilesystemError) => error.code,
          ),
        ),
      )
      for (const text of found) seen.add(text)
    }
    race.signal("KILL")
    await race.wait()
    expect(seen).toContain("fine\n")
    expect([...seen].filter((text) => !["fine\n", "ENOENT"].includes(text))).toEqual([])
  })
})
