import { APIError, SpritesClient } from "@fly/sprites"
import * as fs from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { bash, remove, serve, temporaryHome, type TestServer } from "./testing/TestSprites.ts"

describe("Sprites on the local server", () => {
  let server: TestServer
  beforeAll(async () => {
    server = await serve()
  })
  afterAll(() => server.stop())

  it("are created, found, changed and deleted", async () => {
    const { client } = server
    const made = await client.createSprite("crud", {})
    expect(made.name).toBe("crud")
    expect(made.id).toMatch(/^sprite-/)
    const found = await client.getSprite("crud")
    expect(found.id).toBe(made.id)
    expect(found.status).toBe("cold")
    const changed = await client.updateSprite("crud", { labels: ["x"] })
    expect(changed.labels).toEqual(["x"])
    expect((await client.updateSprite("crud", { labels: [] })).labels).toEqual([])
    await client.upgradeSprite("crud")
    expect((await client.checkSprite("crud")).status).toBe("ok")
    await client.deleteSprite("crud")
    await expect(client.getSprite("crud")).rejects.toMatchObject({ statusCode: 404, errorCode: "not_found" })
    expect(fs.existsSync(join(server.home, "sprites", "crud"))).toBe(false)
  })

  it("have one name each, and a name is no path", async () => {
    await server.client.createSprite("once")
    await expect(server.client.createSprite("once")).rejects.toMatchObject({ statusCode: 400 })
    for (const name of ["../up", "a/b", "", "A", ".hidden", "a".repeat(64)]) {
      await expect(server.client.createSprite(name)).rejects.toMatchObject({ statusCode: 400 })
    }
  })

  it("are listed in pages, by prefix", async () => {
    const names = Array.from({ length: 55 }, (_, n) => `page-${String(n).padStart(2, "0")}`)
    for (const name of names) await server.client.createSprite(name)
    const first = await server.client.listSprites({ prefix: "page-" })
    expect([first.sprites.length, first.hasMore]).toEqual([50, true])
    const all = await server.client.listAllSprites("page-")
    expect(all.map((sprite) => sprite.name)).toEqual(names)
  })

  it("lose their commands and keep their files in a restart of the machine", async () => {
    const sprite = await server.client.createSprite("again")
    await bash(sprite, "echo kept > file")
    const session = sprite.createSession("sleep", ["1000"])
    session.on("error", () => {})
    await new Promise((resolve) => session.on("spawn", resolve))
    expect((await server.client.getSprite("again")).status).toBe("running")
    expect((await sprite.restart()).spriteName).toBe("again")
    expect(await sprite.listSessions()).toEqual([])
    expect((await bash(sprite, "cat file")).stdout).toBe("kept\n")
  })

  it("survive a restart of the server with their files, on the same port, without their sessions", async () => {
    const home = temporaryHome()
    const first = await serve({ home })
    const sprite = await first.client.createSprite("stay")
    await bash(sprite, "echo kept > ~/file; echo too > /tmp/file")
    const session = sprite.createSession("bash", [])
    session.on("error", () => {})
    await new Promise((resolve) => session.on("spawn", resolve))
    const [{ id } = { id: "" }] = await sprite.listSessions()
    await first.stop()

    const second = await serve({ home })
    expect(second.url).toBe(first.url)
    const again = await second.client.getSprite("stay")
    expect((await bash(again, "cat ~/file /tmp/file")).stdout).toBe("kept\ntoo\n")
    expect(await again.listSessions()).toEqual([])
    const attached = again.attachSession(id)
    await expect(new Promise((_, reject) => attached.on("error", reject))).rejects.toThrow()
    await second.stop()
    remove(home)
  })

  it("are closed to whoever has no token, in requests and upgrades", async () => {
    await server.client.createSprite("locked")
    const stranger = new SpritesClient("wrong", { baseURL: server.url })
    const refusal = await stranger.getSprite("locked").catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(APIError)
    expect(refusal).toMatchObject({ statusCode: 401 })
    await expect(stranger.sprite("locked").filesystem("/").readFile("/etc/passwd")).rejects.toThrow()
    const status = await new Promise((resolve) => {
      const socket = new WebSocket(`${server.url.replace("http", "ws")}/v1/sprites/locked/exec?cmd=true`)
      socket.on("unexpected-response", (_, response) => resolve(response.statusCode)).on("error", () => {})
    })
    expect(status).toBe(401)
  })

  it("say after a restart of the server what it took with it", async () => {
    const home = temporaryHome()
    const first = await serve({ home })
    const sprite = await first.client.createSprite("loser")
    const session = sprite.createSession("sleep", ["1000"])
    session.on("error", () => {})
    await new Promise((resolve) => session.on("spawn", resolve))
    await bash(sprite, "true")
    const [{ id } = { id: "" }] = await sprite.listSessions()
    expect((await sprite.check()).reason).toBeUndefined()
    await first.stop()

    const second = await serve({ home })
    expect(second.status.lost).toEqual(["loser: sleep 1000"])
    const again = second.client.sprite("loser")
    expect((await again.check()).reason).toContain("what ran was ended: sleep 1000")
    await expect(again.killSession(id)).rejects.toMatchObject({ statusCode: 404, errorCode: "session_lost" })
    await second.stop()

    const third = await serve({ home })
    expect(third.status.lost).toEqual([])
    await third.stop()
    remove(home)
  })

  it("writes its address and token for the owner only", () => {
    const file = join(server.home, "sprites.json")
    expect(JSON.parse(fs.readFileSync(file, "utf8"))).toEqual({ url: server.url, token: server.token })
    expect(fs.statSync(file).mode & 0o777).toBe(0o600)
  })
})
