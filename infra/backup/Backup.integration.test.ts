/** A backup made under load, restored elsewhere: from servers of one's own into the embedded tier, where there is no NATS yet. */
import { execFile } from "node:child_process"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { say } from "../emulators/anthropic/index.ts"
import { answerTo, openQuestions } from "../e2e/Questions.ts"
import { stage, type Stage } from "../e2e/Stage.ts"
import { testDatabase, testDirectory } from "../testing/index.ts"
import { freePort } from "../testing/TestServer.ts"

const root = join(import.meta.dirname, "../..")
const place = testDirectory()
const file = join(place, "company.backup")
const home = testDirectory()

let s: Stage
beforeAll(async () => {
  s = await stage()
  await s.runtime.start()
})
afterAll(() => s.dispose())

const troupe = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
  new Promise<{ readonly code: number; readonly out: string; readonly err: string }>((resolve) => {
    const { PATH = "" } = process.env
    execFile(
      process.execPath,
      [join(root, "infra/cli/troupe.js"), ...args],
      { env: { PATH, ...env } },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })

const key = { ENCRYPTION_KEY: "ab".repeat(32) }
const elsewhere = { ...key, TROUPE_HOME: join(home, "troupe") }

describe("a backup", () => {
  it(
    "is of one moment, without downtime, and says nothing twice where it is restored",
    { timeout: 120_000 },
    async () => {
      // A turn that is under way when the backup is made, and ends after it.
      const slow = s.private().chat
      s.ai.script((request) => ({
        ...say(`Slowly, word by word: ${answerTo(openQuestions(request)[0]!)}`),
        deltaChars: 1,
        eventDelayMs: 350,
      }))
      s.ask(slow)
      await s.until(slow, (seen) => seen.some((m) => m.from.isBot && m.text !== ""))

      const chats = Array.from({ length: 8 }, () => s.private().chat)
      for (const chat of chats) s.ask(chat)
      const enough = new AbortController()
      const load = (async () => {
        for (let n = 0; !enough.signal.aborted && n < 60; n += 1) {
          const chat = chats[n % chats.length]!
          s.ask(chat)
          await s.answered(chat)
        }
      })()
      const made = await troupe(["backup", file, "--json"], { ...s.env, TROUPE_HOME: join(place, "none") })
      enough.abort()
      expect(s.verdict(slow).lost).toHaveLength(1)
      expect([made.err, made.code, JSON.parse(made.out)]).toEqual(["", 0, { file, sealedWith: "master" }])
      expect(statSync(file).mode & 0o777).toBe(0o600)
      expect(readFileSync(file).includes("The answer to")).toBe(false)
      await load
      for (const chat of [...chats, slow]) await s.answered(chat, 60_000)
      await s.runtime.kill("SIGKILL")

      const restored = await troupe(["restore", file], elsewhere)
      expect([restored.err, restored.code]).toEqual(["", 0])
      expect(restored.out).toMatch(
        /^Restored what was at \d{4}-.*: \d+ rows\.\nWhat was under way then is stopped/,
      )
      const port = String(await freePort())
      const next = s.process({ DATABASE_URL: "", NATS_URL: "", PORT: port }, home)
      await next.start()
      const found = await troupe(["doctor", "--json"], { ...elsewhere, PORT: port })
      expect(JSON.parse(found.out)).toContainEqual(
        expect.objectContaining({ check: "key", state: "ok", found: "ENCRYPTION_KEY opens all 1 secrets." }),
      )
      for (const chat of [...chats, slow]) s.ask(chat)
      for (const chat of [...chats, slow]) await s.answered(chat)
      await s.until(slow, (seen) => seen.some((m) => m.text.includes("Stopped.")))
      for (const chat of [...chats, slow]) expect(s.verdict(chat)).toMatchObject({ lost: [], twice: [] })
      expect(s.ai.refusals()).toEqual([])

      const running = await troupe(["restore", file], elsewhere)
      expect([running.code, running.err]).toEqual([78, expect.stringContaining("already runs")])
      await next.kill("SIGTERM")
      const full = await troupe(["restore", file], elsewhere)
      expect([full.code, full.err]).toEqual([
        1,
        expect.stringContaining("There is a company in this database already"),
      ])
    },
  )

  it("goes on with what was under way when it was a move", { timeout: 60_000 }, async () => {
    const database = await testDatabase()
    const moved = { ...key, DATABASE_URL: database, TROUPE_HOME: join(place, "moved") }
    expect((await troupe(["restore", "--resume", file], moved)).out).toContain("goes on at the next start")
  })

  it("opens only with its key, and only whole", async () => {
    const at = { DATABASE_URL: await testDatabase(), TROUPE_HOME: join(place, "closed") }
    const refused = async (path: string, env: Readonly<Record<string, string>>) => {
      const { code, err } = await troupe(["restore", path], { ...at, ...env })
      return [code, err.trim()]
    }
    expect(await refused(file, {})).toEqual([
      1,
      "The backup is sealed with the company's encryption key: set ENCRYPTION_KEY to it.",
    ])
    expect(await refused(file, { ENCRYPTION_KEY: "cd".repeat(32) })).toEqual([
      1,
      "The backup does not open with this ENCRYPTION_KEY, or it was changed.",
    ])
    const cut = join(place, "cut.backup")
    writeFileSync(cut, readFileSync(file).subarray(0, -100))
    expect((await refused(cut, key))[1]).toMatch(/changed|cut off/)
    const none = await troupe(["backup", join(place, "x")], { TROUPE_HOME: join(place, "nowhere") })
    expect([none.code, none.err]).toEqual([1, expect.stringContaining("no Troupe here to back up")])
  })

  it("sealed with a passphrase brings its encryption key along", { timeout: 60_000 }, async () => {
    const phrase = { TROUPE_BACKUP_PASSPHRASE: "correct horse battery staple" }
    const sealed = join(place, "phrase.backup")
    const made = await troupe(["backup", sealed], { ...s.env, ...phrase, TROUPE_HOME: join(place, "none") })
    expect([made.code, made.out]).toEqual([0, `Wrote ${sealed}, sealed with your passphrase.\n`])
    const to = { DATABASE_URL: await testDatabase(), TROUPE_HOME: join(place, "phrased") }
    expect((await troupe(["restore", sealed], to)).err).toContain("set TROUPE_BACKUP_PASSPHRASE")
    expect((await troupe(["restore", sealed], { ...to, ...phrase })).code).toBe(0)
    expect(readFileSync(join(place, "phrased/encryption.key"), "utf8")).toBe(key.ENCRYPTION_KEY)
  })
})
