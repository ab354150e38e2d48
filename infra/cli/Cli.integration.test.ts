import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs"
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

const program = join(root, "infra/cli/troupe.js")
const environment = (): Record<string, string> => {
  const { PATH = "" } = process.env
  return { PATH, PORT: port, TROUPE_HOME: join(home, "troupe") }
}

/** The real program, as `npx troupe` starts it. */
const troupe = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  new Promise<Ran>((resolve) => {
    execFile(process.execPath, [program, ...args], { env: { ...environment(), ...env } }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
const parsed = async (...args: ReadonlyArray<string>) => {
  const { code, out, err } = await troupe([...args, "--json"])
  expect(code, err).toBe(0)
  return JSON.parse(out) as never
}

/** The room's log, once it shows this. */
const threadOnce = async (what: RegExp): Promise<string> => {
  for (const deadline = performance.now() + 20_000; ;) {
    const { out } = await troupe(["thread", "A room"])
    if (what.test(out)) return out
    if (performance.now() > deadline) throw new Error(`The room does not show ${String(what)}:\n${out}`)
  }
}

const following = (...args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [program, "tail", ...args], { env: environment() })
  let out = ""
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve))
  child.stderr.on("data", (part) => (out += String(part)))
  child.stdout.on("data", (part) => (out += String(part)))
  return {
    out: () => out,
    shows: async (what: RegExp) => {
      const patience = AbortSignal.timeout(20_000)
      while (!what.test(out)) await once(child.stdout, "data", { signal: patience })
    },
    ends: (signal: NodeJS.Signals) => {
      child.kill(signal)
      return ended
    },
  }
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
    const shown = await threadOnce(/finished/)
    expect(shown).toMatch(/shell echo from the shell {2}exit 0, \d+ ms/)
    expect(shown).toMatch(/@ada lead: addressed/)
    expect(shown).toMatch(/@ada turn \w+ finished, \$0\.0000, \d+ ms, 1 tool$/m)
    const why = (await troupe(["why", "A room"])).out
    expect(why).toMatch(/@ada\s+lead\s+addressed/)
    expect(why).toMatch(/@bo\s+pass\s+addressed to ada/)
    expect((await troupe(["why", "A room", "1", "--agent", "@bo"])).out).toMatch(/^@bo.*\n$/)
    expect(await parsed("why", "a ROOM", "last", "--agent", "ada")).toMatchObject([{ verdict: "lead" }])
    expect((await troupe(["why", "A room", "99"])).err).toMatch(/^There is no message 99 in this room: see/)
    expect((await troupe(["why", "A room", "--agent", "cy"])).err).toMatch(/^There is no agent "cy": see/)
  })

  it("follows a room: words as they come, then in the log, until Ctrl-C", async () => {
    const text = following("A room")
    const lines = following("A room", "--json")
    await text.shows(/Owner: @ada run/)
    await lines.shows(/"kind":"message"/)
    await troupe(["say", "A room", "@bo hello"])
    await text.shows(/… {2}bo: Hello!/)
    await lines.shows(/"kind":"turn".*"state":"finished".*\n[^]*"kind":"turn".*"state":"finished"/)
    expect(await text.ends("SIGINT")).toBe(0)
    expect(await lines.ends("SIGTERM")).toBe(0)
    const events = lines
      .out()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string; pos?: number; text?: string; turn?: string })
    const logged = events.flatMap((e) => (e.pos === undefined ? [] : [e.pos]))
    expect(logged).toEqual(logged.map((_, i) => i + 1))
    const answer = events.findLast((e) => e.kind === "message")
    const heard = events.filter((e) => e.kind === "delta").map((e) => e.text)
    expect(heard.join("").trim()).toBe(answer?.text)
    expect(text.out().match(/Hello!/g)).toHaveLength(1)
  })

  it("stops a running turn", async () => {
    await troupe(["say", "A room", "@ada run: sleep 60"])
    const shown = await threadOnce(/@ada turn \w+ started(?![^]*@ada turn)/)
    const [, turn = ""] = shown.match(/@ada turn (\w+) started(?![^]*@ada turn)/) ?? []
    expect((await troupe(["stop", turn])).out).toBe("Stopped.\n")
    await threadOnce(new RegExp(`@ada turn ${turn} stopped`))
    expect((await troupe(["stop", turn])).out).toBe("It was not running.\n")
    await troupe(["say", "A room", "@bo run: sleep 61"])
    await threadOnce(/@bo turn \w+ started(?![^]*@bo turn)/)
    expect((await troupe(["stop", "A room"])).out).toBe("Stopped.\n")
    await threadOnce(/@bo turn \w+ stopped/)
  })

  it("gives orders, and says what came of them", async () => {
    await troupe(["say", "--new", "Orders", "@ada run: sleep 62"])
    const room = async (what: RegExp) => {
      for (const deadline = performance.now() + 20_000; ;) {
        const { out } = await troupe(["thread", "Orders"])
        if (what.test(out)) return
        if (performance.now() > deadline) throw new Error(`The room does not show ${String(what)}:\n${out}`)
      }
    }
    await room(/@ada turn \w+ started/)
    const nothing = await troupe(["approve", "Orders", "--agent", "bo"])
    expect([nothing.code, nothing.out]).toEqual([0, "Nobody asked for permission.\n"])
    const { out } = await troupe(["spend", "Orders", "1.50", "--json"])
    expect(JSON.parse(out)).toMatchObject({ pos: expect.any(Number) as number })
    await troupe(["stop", "Orders"])
    await room(/@ada turn \w+ stopped/)
    expect((await troupe(["continue", "Orders", "--agent", "@ada"])).code).toBe(0)
    await room(/stopped[^]*@ada turn \w+ started/)
    await troupe(["stop", "Orders"])
    expect((await troupe(["wait", "nowhere"])).err).toBe('There is no room "nowhere": see `troupe rooms`.\n')
  })

  it("completes commands in a shell", async () => {
    for (const shell of ["bash", "zsh", "fish"])
      expect((await troupe(["completions", shell])).out).toMatch(/backup[^]*doctor/)
    expect((await troupe(["completions", "csh"])).code).toBe(1)
  })

  it("hands over to its own Node when it is started by an older one", async () => {
    const older = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.0.0'})"
    const child = spawn(process.execPath, ["--import", older, program, "rooms", "--json"], {
      env: environment(),
    })
    let out = ""
    child.stdout.on("data", (part) => (out += String(part)))
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve))
    expect([code, JSON.parse(out)]).toEqual([
      0,
      expect.arrayContaining([expect.objectContaining({ title: "A room" })]),
    ])
    expect((await troupe(["nonsense"])).code).toBe(1)
  })

  it("prints JSON for programs", async () => {
    expect(await parsed("rooms")).toEqual(
      expect.arrayContaining([expect.objectContaining({ title: "A room" })]),
    )
    expect(await parsed("agents")).toMatchObject([{ name: "ada" }, { name: "bo" }])
    expect(await parsed("status")).toMatchObject({ rehearsal: true })
    expect(await parsed("link")).toMatchObject({ url: expect.stringContaining("/enter?token=") as string })
    expect(await parsed("stop", "1m86h58w7vmgy019wzbj")).toEqual({ stopped: false })
    expect(await parsed("inspect")).toMatchObject({
      context: expect.stringContaining("inspector.json") as string,
    })
  })

  it("prints the users of the bus as the configuration of another server", async () => {
    const { out } = await troupe(["inspect", "--config"])
    expect(out).toContain("{ user: runtime, password: $TROUPE_RUNTIME_PASSWORD }")
    const elsewhere = await troupe(["inspect"], { NATS_URL: "tls://runtime:secret@x.example:4222" })
    expect(elsewhere.out).toContain(
      "nats --server tls://x.example:4222 --user inspector --inbox-prefix _INBOX_inspector",
    )
    expect(elsewhere.out).not.toContain("secret")
    const never = await troupe(["inspect", "--config"], { TROUPE_HOME: join(home, "none") })
    expect([never.code, never.err]).toEqual([1, expect.stringContaining("start Troupe once")])
  })

  it("makes tokens for programs, which may do what they were made for until they end", async () => {
    const made = await troupe(["tokens", "add", "prometheus"])
    const asks = (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${made.out.trim()}` } })
    expect([made.code, made.out]).toEqual([0, expect.stringMatching(/^trp_[\w-]+\n$/)])
    expect((await asks("/metrics")).status).toBe(200)
    expect((await asks("/api/tokens")).status).toBe(403)
    const [token] = (await parsed("tokens")) as ReadonlyArray<{ readonly id: string }>
    expect((await troupe(["tokens"])).out).toMatch(/^\w+ {2}prometheus {2}viewer, used \S+\n$/)
    expect((await troupe(["tokens", "drop", token!.id])).out).toBe("It ended.\n")
    expect((await asks("/metrics")).status).toBe(401)
    expect((await troupe(["tokens", "drop", token!.id])).err).toBe("There is no such token.\n")
    expect((await parsed("tokens")) as unknown).toEqual([])
  })

  it("is well, says the doctor, until a secret file is open to others", async () => {
    const key = join(home, "troupe/cli.token")
    const found = (await parsed("doctor")) as ReadonlyArray<{
      readonly check: string
      readonly state: string
    }>
    const states = new Map(found.map((f) => [f.check, f.state]))
    expect([...states.values()]).not.toContain("wrong")
    expect([states.get("troupe"), states.get("home")]).toEqual(["ok", "ok"])
    chmodSync(key, 0o644)
    const { code, out } = await troupe(["doctor"])
    expect([code, out]).toEqual([1, expect.stringContaining(`WRONG  home         Others may read ${key}.`)])
    expect(out).toContain(`$ chmod 600 ${key}`)
    chmodSync(key, 0o600)
  })

  it("applies a changed troupe.yaml to the running company, and refuses what it cannot take", async () => {
    const file = join(home, "troupe.yaml")
    const here = { TROUPE_CONFIG: file }
    const cy = "agents: [{ name: cy, title: Writer, soul: You write. }]"
    writeFileSync(file, cy)
    expect((await troupe(["apply", "--check"], here)).out).toBe(`${file} is fine: @cy in web.\n`)
    expect((await parsed("agents")) as unknown).toMatchObject([{ name: "ada" }, { name: "bo" }])
    expect((await troupe(["apply"])).out).toBe("Applied: @cy work here.\n")
    expect(await parsed("agents")).toMatchObject([{ name: "cy", title: "Writer" }])
    await troupe(["say", "A room", "@cy hello"])
    await threadOnce(/cy: Hello!/)

    writeFileSync(file, `${cy}\nbudgets: { perRoot: 2 }`)
    const refused = await troupe(["apply"])
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringMatching(/only: budgets\. Restart Troupe\.\n$/),
    ])
    writeFileSync(file, "agents: [{ nam: cy }]")
    for (const how of [["apply"], ["apply", "--check"]]) {
      const { code, out, err } = await troupe([...how, "--json"], here)
      expect([code, JSON.parse(out)]).toMatchObject([78, { valid: false, problems: [{ file, line: 1 }, {}] }])
      expect(err).toContain(`${file}:1:`)
    }
  })

  it("says in one sentence what is wrong, and fails", async () => {
    expect(await troupe(["say", "nowhere", "hi"])).toEqual({
      code: 1,
      out: "",
      err: 'There is no room "nowhere": see `troupe rooms`.\n',
    })
    for (const words of ["one", "two"]) await troupe(["say", "--new", "Twice", words])
    const unclear = await troupe(["thread", "Twice"])
    expect([unclear.code, unclear.err]).toEqual([
      1,
      'More than one room is called "Twice": use its id from `troupe rooms`.\n',
    ])
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
