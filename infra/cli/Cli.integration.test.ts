import { execFile } from "node:child_process"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { RuntimeProcess } from "../e2e/RuntimeProcess.ts"
import { testDatabase, testDirectory, testNats } from "../testing/index.ts"
import { freePort } from "../testing/TestServer.ts"

const root = join(import.meta.dirname, "../..")
const home = testDirectory()
let port = ""

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** The real program, as `npx troupe` starts it. */
const troupe = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  new Promise<Ran>((resolve) => {
    const { PATH = "" } = process.env
    execFile(
      join(root, "node_modules/.bin/node"),
      [join(root, "infra/cli/main.ts"), ...args],
      { env: { PATH, PORT: port, TROUPE_HOME: join(home, "troupe"), ...env } },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
const parsed = async (...args: ReadonlyArray<string>) => {
  const { code, out, err } = await troupe([...args, "--json"])
  expect(code, err).toBe(0)
  return JSON.parse(out) as never
}

describe("the command line", () => {
  let runtime: RuntimeProcess
  beforeAll(async () => {
    port = String(await freePort())
    writeFileSync(join(home, "troupe.yaml"), "")
    const nats = testNats()
    runtime = new RuntimeProcess(home, {
      PORT: port,
      DATABASE_URL: await testDatabase(),
      NATS_URL: nats.url.replace("//", `//${nats.user}:${nats.password}@`),
    })
    await runtime.start()
  })
  afterAll(() => runtime.kill("SIGTERM"))

  it("opens a room, speaks, and shows what was said and done, and why", async () => {
    const said = await troupe(["say", "--new", "A room", "@ada run: echo from the shell"])
    expect(said.out).toMatch(/^Said in \w+ at 1\.$/m)
    let shown = ""
    for (let i = 0; i < 60 && !shown.includes("finished"); i++)
      shown = (await troupe(["thread", "A room"])).out
    expect(shown).toContain("shell echo from the shell  exit 0")
    expect(shown).toMatch(/turn \w+ finished, \$0\.0000, \d+ ms, 1 tools/)
    const why = (await troupe(["why", "A room"])).out
    expect(why).toMatch(/@ada\s+lead\s+addressed/)
    expect(why).toMatch(/@bo\s+pass\s+addressed to ada/)
  })

  it("prints JSON for programs", async () => {
    expect(await parsed("rooms")).toMatchObject([{ title: "A room" }])
    expect(await parsed("agents")).toMatchObject([{ name: "ada" }, { name: "bo" }])
    expect(await parsed("status")).toMatchObject({ rehearsal: true })
    expect(await parsed("link")).toMatchObject({ url: expect.stringContaining("/enter?token=") as string })
    expect(await parsed("stop", "1m86h58w7vmgy019wzbj")).toEqual({ stopped: false })
    expect(await parsed("inspect")).toMatchObject({
      context: expect.stringContaining("inspector.json") as string,
    })
  })

  it("says in one sentence what is wrong, and fails", async () => {
    expect(await troupe(["say", "nowhere", "hi"])).toEqual({
      code: 1,
      out: "",
      err: 'There is no room "nowhere": see `troupe rooms`.\n',
    })
    const nobody = await troupe(["status"], { TROUPE_HOME: mkdtempSync(join(tmpdir(), "troupe-no-")) })
    expect([nobody.code, nobody.err]).toEqual([1, expect.stringContaining("start it with `npm start`")])
    expect((await troupe(["status"], { PORT: "abc" })).code).toBe(78)
    expect((await troupe(["nonsense"])).code).toBe(1)
  })

  it("says that Troupe does not answer when it does not run", async () => {
    const other = String(await freePort())
    const { code, err } = await troupe(["status"], { PORT: other })
    expect([code, err]).toEqual([
      1,
      `Troupe does not answer on 127.0.0.1:${other}: start it with \`npm start\`, or set PORT.\n`,
    ])
  })
})
