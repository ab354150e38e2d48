import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { chmodSync, mkdirSync, mkdtempSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { Redaction, Secrets, Settings, Sql } from "../../runtime/index.ts"
import { layerStore } from "../Troupe.ts"
import { testDatabase, testNats } from "../testing/index.ts"
import { freePort } from "../testing/TestServer.ts"
import { bus } from "./BusCheck.ts"
import { company, model } from "./Company.ts"
import { clockFinding, database } from "./Database.ts"
import type { Finding } from "./Finding.ts"
import { home } from "./HomeFiles.ts"
import { diskFinding, leastFree, natsProgram, node } from "./Machine.ts"
import { listening, reachable, running } from "./Running.ts"
import { mend, sandboxes } from "./Sandboxes.ts"

const asked = <A, E>(effect: Effect.Effect<A, E, Settings>, env: Readonly<Record<string, string>> = {}) =>
  Effect.runPromise(
    effect.pipe(
      Effect.provide(
        Settings.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(env)))),
      ),
    ),
  )
const directory = () => mkdtempSync(join(tmpdir(), "troupe-doctor-test-"))
const told = (findings: ReadonlyArray<Finding>) => findings.map((f) => `${f.state} ${f.found}`)

/** Answers everything the same way. */
const answering = async (status: number, text: string) => {
  const server = createServer((_, response) => response.writeHead(status).end(text))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port: String(port), [Symbol.dispose]: () => void server.close() }
}

describe("the doctor", () => {
  it("knows an old Node", () => {
    expect(node("v20.1.0")).toMatchObject({ state: "wrong", mend: "npm ci" })
    expect(node("v24.21.0").state).toBe("ok")
  })

  it("sees whether Troupe runs, and who has its port", async () => {
    const free = String(await freePort())
    expect((await asked(running, { PORT: free })).findings[0]).toMatchObject({
      state: "look",
      mend: "npm start",
    })
    using other = await answering(200, "hello")
    const { alive, findings } = await asked(running, { PORT: other.port })
    expect([alive, findings]).toMatchObject([
      false,
      [{ state: "wrong", found: `Another program has port ${other.port}.` }],
    ])
    expect(findings[0]!.mend).toBe(`PORT=${Number(other.port) + 1} npm start`)
  })

  it("finds secrets that others may read, and its command closes them", async () => {
    const at = { TROUPE_HOME: directory() }
    mkdirSync(join(at.TROUPE_HOME, "nats"))
    for (const name of ["encryption.key", "nats/inspector.json", "sprites.json"])
      writeFileSync(join(at.TROUPE_HOME, name), "x", { mode: 0o600 })
    expect((await asked(home, at))[0]!.state).toBe("ok")
    chmodSync(join(at.TROUPE_HOME, "encryption.key"), 0o644)
    chmodSync(join(at.TROUPE_HOME, "nats/inspector.json"), 0o640)
    const [found] = await asked(home, at)
    expect(found).toMatchObject({
      state: "wrong",
      found: expect.stringContaining("2 secret files") as string,
    })
    execFileSync("sh", ["-c", found!.mend!])
    expect(statSync(join(at.TROUPE_HOME, "encryption.key")).mode & 0o777).toBe(0o600)
    expect((await asked(home, at))[0]!.state).toBe("ok")
    const file = join(at.TROUPE_HOME, "encryption.key")
    expect(told(await asked(home, { TROUPE_HOME: file }))).toEqual([
      `wrong TROUPE_HOME is ${file}, which is no directory.`,
    ])
  })

  it("finds a disk that is nearly full, in bytes or in files", () => {
    expect(diskFinding("/x", leastFree - 1, 1e6)).toMatchObject({
      state: "wrong",
      mend: "du -xh /x | sort -h | tail -20",
    })
    expect(diskFinding("/x", 1e12, 10).state).toBe("wrong")
    expect(diskFinding("/x", leastFree + 1, 1e6).state).toBe("look")
    expect(diskFinding("/x", 1e12, undefined).state).toBe("ok")
  })

  it("finds a clock that goes wrong, and not a question that takes long", () => {
    expect(clockFinding(60_000, 5)).toMatchObject({ state: "wrong", mend: "sudo timedatectl set-ntp true" })
    expect(clockFinding(-60_000, 5).state).toBe("wrong")
    expect(clockFinding(7_000, 7_000).state).toBe("ok")
  })

  it("finds an address that opens the page to the network", async () => {
    expect(told(await asked(listening, { HOST: "0.0.0.0" }))[0]).toMatch(/^wrong HOST=0.0.0.0 would open/)
    expect(await asked(listening)).toEqual([])
  })

  it("finds mistakes in troupe.yaml, each at its place, and who needs webhooks", async () => {
    const file = join(directory(), "troupe.yaml")
    writeFileSync(file, "agents: [{ nam: cy }]")
    const { findings } = await asked(company, { TROUPE_CONFIG: file })
    expect(findings.map((f) => f.state)).toEqual(["wrong", "wrong"])
    expect(findings[0]).toMatchObject({
      found: expect.stringContaining(`${file}:1:`) as string,
      mend: "npx troupe apply --check",
    })
    writeFileSync(
      file,
      "integrations: [{ name: chat, type: telegram, token: '123456:abcdefghijklmnopqrstuvwxyzabcdefghi', mode: webhook, secret: abcdefghijklmnopqrstuvwxyz012345 }]",
    )
    const webhooks = await asked(company, { TROUPE_CONFIG: file })
    expect([webhooks.findings.map((f) => f.found), webhooks.webhooks]).toEqual([
      ["2 agents, 2 integrations."],
      ["chat"],
    ])
  })

  it("finds webhooks that cannot arrive", async () => {
    expect(told(await asked(reachable(true, ["repos"])))).toEqual([
      "wrong repos is reached by webhooks, and PUBLIC_URL is not set.",
    ])
    expect(await asked(reachable(true, []))).toEqual([])
    using other = await answering(200, "<html>somebody else")
    expect(told(await asked(reachable(true, []), { PUBLIC_URL: other.url }))).toEqual([
      `wrong ${other.url} answers 200, and not as Troupe: the proxy leads elsewhere.`,
    ])
    const nobody = `http://127.0.0.1:${await freePort()}`
    expect(told(await asked(reachable(true, []), { PUBLIC_URL: nobody }))[0]).toContain("does not answer")
    using troupe = await answering(200, '{"status":"alive"}')
    expect(told(await asked(reachable(true, []), { PUBLIC_URL: troupe.url }))).toEqual([
      `ok ${troupe.url} leads here.`,
    ])
  })

  it("finds a key or token that is not taken", async () => {
    using refuses = await answering(401, "{}")
    expect(told(await asked(model, { ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: refuses.url }))).toEqual([
      `wrong ${refuses.url} does not take ANTHROPIC_API_KEY.`,
    ])
    expect(told(await asked(sandboxes, { SPRITES_TOKEN: "t", SPRITES_URL: refuses.url }))).toEqual([
      "wrong Fly Sprites does not take SPRITES_TOKEN.",
    ])
    using takes = await answering(200, "{}")
    expect(told(await asked(sandboxes, { SPRITES_TOKEN: "t", SPRITES_URL: takes.url }))).toEqual([
      `ok At Fly Sprites (${takes.url}).`,
    ])
    expect((await asked(model))[0]).toMatchObject({ state: "look", mend: "export ANTHROPIC_API_KEY=" })
  })

  it("finds a database that does not answer, and secrets that our key does not open", async () => {
    const nobody = `postgres://x:y@127.0.0.1:${await freePort()}/z`
    expect((await asked(database(false), { DATABASE_URL: nobody }))[0]).toMatchObject({
      check: "database",
      state: "wrong",
    })
    const url = await testDatabase()
    const key = randomBytes(32).toString("hex")
    await Effect.runPromise(
      Effect.gen(function* () {
        const secrets = yield* Secrets
        const sql = yield* Sql
        const place = { table: "secret", row: "door/token", column: "sealed" }
        const sealed = yield* secrets.seal(place, Redacted.make("a bot's token"))
        yield* sql.cold(
          "insert into secret (owner, name, sealed, last_four) values ('door', 'token', $1::jsonb, '')",
          [sealed],
        )
      }).pipe(
        Effect.provide(layerStore(Redacted.make(url), { current: Redacted.make(key), former: [] })),
        Effect.provide(Redaction.layer),
      ),
    )
    const states = async (env: Record<string, string>) =>
      (await asked(database(false), { DATABASE_URL: url, ...env })).map((f) => `${f.check} ${f.state}`)
    expect(await states({ ENCRYPTION_KEY: key })).toEqual(["database ok", "clock ok", "key ok"])
    expect(await states({ ENCRYPTION_KEY: randomBytes(32).toString("hex") })).toEqual([
      "database ok",
      "clock ok",
      "key wrong",
    ])
    expect(await states({ ENCRYPTION_KEY: "short" })).toEqual(["database ok", "clock ok", "key wrong"])
  })

  it("finds a bus that does not let us in", async () => {
    const { url, user, password } = testNats()
    const at = (secret: string) => ({ NATS_URL: url.replace("//", `//${user}:${secret}@`) })
    expect((await asked(bus(false), at(password)))[0]).toMatchObject({ check: "bus", state: "ok" })
    const [refused] = await asked(bus(false), at("wrong"))
    expect(refused).toMatchObject({ state: "wrong", mend: `nats --server ${url} server ping` })
    expect(JSON.stringify(refused)).not.toContain(password)
    expect((await asked(bus(false), { NATS_URL: "http://x" }))[0]!.state).toBe("wrong")
    expect((await asked(bus(false), { ...at(password), NATS_CREDS: "/nowhere" }))[0]).toMatchObject({
      state: "wrong",
      mend: "ls -l /nowhere",
    })
  })
})

describe("the doctor, with other programs in PATH", () => {
  const before = process.env["PATH"]
  let bin = ""
  const program = (name: string, script: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  beforeEach(() => {
    bin = directory()
    process.env["PATH"] = bin
  })
  afterEach(() => void (process.env["PATH"] = before))

  it("finds a nats-server that is too old", async () => {
    program("nats-server", "echo nats-server: v2.8.4")
    expect(told(await asked(natsProgram))).toEqual([
      `wrong ${join(bin, "nats-server")} is 2.8.4, Troupe needs 2.9.10 or newer.`,
    ])
    program("nats-server", "echo nats-server: v2.12.7")
    expect(told(await asked(natsProgram))).toEqual(["ok 2.12.7."])
  })

  it("finds that there is no sandbox, and why", async () => {
    expect(told(await asked(sandboxes))).toEqual([
      "wrong bubblewrap is not installed, and SPRITES_TOKEN is not set.",
    ])
    process.env["PATH"] = `${bin}:${before}`
    program("bwrap", "echo 'bwrap: No permissions to create new namespace' >&2; exit 1")
    const [refused] = await asked(sandboxes)
    expect(refused).toMatchObject({
      state: "wrong",
      found: expect.stringContaining("No permissions to create new namespace") as string,
    })
    expect(refused!.mend).toMatch(/^(sudo sysctl -w kernel\.|docker compose )/)
    expect(mend("the program `prlimit` (package util-linux) is missing.")).toContain("util-linux")
    expect((await asked(sandboxes, { TROUPE_UNSAFE_LOCAL_EXEC: "1" }))[0]).toMatchObject({
      state: "look",
      found: expect.stringContaining("UNSAFE") as string,
    })
  })
})
