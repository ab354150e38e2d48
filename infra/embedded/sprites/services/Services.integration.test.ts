import type { ServiceLogEvent, Sprite } from "@fly/sprites"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { processesWith, serve, type TestServer, until } from "../testing/TestSprites.ts"

describe("Services on the local server", () => {
  let server: TestServer
  let sprite: Sprite
  beforeAll(async () => {
    server = await serve()
    sprite = await server.client.createSprite("serving")
  })
  afterAll(() => server.stop())

  const told = async (stream: Promise<AsyncIterable<ServiceLogEvent>>) => {
    const events: Array<ServiceLogEvent> = []
    for await (const event of await stream) events.push(event)
    return events
  }
  const state = async (name: string) => (await sprite.getService(name)).state
  const shell = (script: string) => ({ cmd: "bash", args: ["-c", script] })

  it("start what they need first, and are deleted last to first", async () => {
    await told(sprite.createService("db", shell("sleep 1000"), "10ms"))
    await told(sprite.stopService("db"))
    await told(sprite.createService("app", { ...shell("sleep 1000"), needs: ["db"] }, "10ms"))
    expect([(await state("db"))?.status, (await state("app"))?.status]).toEqual(["running", "running"])
    await expect(sprite.deleteService("db")).rejects.toThrow(/conflict.*app needs db/)
    await expect(sprite.createService("db", { ...shell("true"), needs: ["app"] })).rejects.toThrow(
      /need itself/,
    )
    await expect(sprite.createService("x", { ...shell("true"), needs: ["none"] })).rejects.toThrow(
      /no service/,
    )
    await expect(sprite.createService("signal", shell("true"))).rejects.toThrow(/not signal/)
    await sprite.deleteService("app")
    await sprite.deleteService("db")
    expect(await sprite.listServices()).toEqual([])
  })

  it("that fail are started again after a pause; that end well stay ended", async () => {
    const failing = shell("echo try >> ~/tries; [ $(wc -l < ~/tries) = 2 ] && exec sleep 987650; exit 3")
    const events = await told(sprite.createService("flaky", failing, "10s"))
    expect(events.map(({ type }) => type)).toEqual(["started", "exit", "complete"])
    expect(events[1]?.exitCode).toBe(3)
    const failed = await state("flaky")
    expect(failed).toMatchObject({ status: "failed", error: "It ended with 3.", restartCount: 1 })
    expect(Date.parse(failed?.nextRestartAt ?? "")).toBeGreaterThan(Date.now() - 2000)
    await until("the second try", async () => (await state("flaky"))?.status === "running")
    await sprite.deleteService("flaky")
    expect(processesWith("sleep\x00987650")).toEqual([])
    await told(sprite.createService("job", shell("echo done"), "10s"))
    expect((await state("job"))?.status).toBe("stopped")
  })

  it("that a stop meets while they wait for their next start are not started", async () => {
    await told(sprite.createService("doomed", shell("exit 1"), "10s"))
    await told(sprite.stopService("doomed"))
    expect((await state("doomed"))?.status).toBe("stopped")
    expect((await sprite.getService("doomed")).state?.nextRestartAt).toBeUndefined()
  })

  it("are stopped by TERM, and by KILL when they do not listen", async () => {
    await told(
      sprite.createService("deaf", shell("trap '' TERM; echo up; while :; do sleep 0.05; done"), "300ms"),
    )
    const events = await told(sprite.stopService("deaf", "200ms"))
    expect(events.map(({ type }) => type)).toEqual(["stopping", "exit", "stopped", "complete"])
    expect(events[1]?.exitCode).toBe(137)
  })

  it("have a log that keeps the newest megabyte, gives the last lines, and follows", async () => {
    const flood = "for ((n = 0; n < 40000; n++)); do printf '%050d\\n' $n; done; echo end; sleep 1000"
    await told(sprite.createService("chatty", shell(flood), "10ms"))
    const log = async (options?: { lines: number }) =>
      (await told(sprite.getServiceLogs("chatty", options))).map(({ data }) => data ?? "").join("")
    await until("the end", async () => (await log({ lines: 1 })) === "end\n", 20)
    const all = await log()
    expect(all.length).toBeGreaterThan(500_000)
    expect(all.length).toBeLessThan(1_100_000)
    expect(await log({ lines: 2 })).toBe(`${"39999".padStart(50, "0")}\nend\n`)
    const following = await sprite.getServiceLogs("chatty", { lines: 1, duration: "10s" })
    await told(sprite.stopService("chatty"))
    expect((await told(Promise.resolve(following))).map(({ type }) => type)).toEqual([
      "stdout",
      "stopping",
      "exit",
      "stopped",
      "complete",
    ])
  })

  it("are not commands: they are not listed, nor can they be attached to", async () => {
    await told(sprite.createService("quiet", shell("sleep 1000"), "10ms"))
    expect(await sprite.listSessions()).toEqual([])
    expect((await server.client.getSprite("serving")).status).toBe("running")
    await sprite.deleteService("quiet")
  })
})
