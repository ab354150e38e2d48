import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { Settings } from "./Settings.ts"

const settings = (env: Record<string, string>) =>
  Effect.runPromise(
    Effect.provide(
      Effect.map(Settings, (s) => s),
      Settings.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(env)))),
    ),
  )

describe("the environment", () => {
  it("needs nothing: what is absent is embedded, on loopback", async () => {
    const s = await settings({})
    expect(s).toMatchObject({
      port: 4400,
      host: "127.0.0.1",
      home: "./.troupe",
      unsafeLocalExec: false,
      logFormat: "pretty",
    })
    expect([s.databaseUrl, s.natsUrl, s.anthropicKey, s.spritesToken].every(Option.isNone)).toBe(true)
  })

  it("reads what is set, secrets hidden", async () => {
    const s = await settings({
      PORT: "5000",
      ANTHROPIC_API_KEY: "sk-test",
      TROUPE_UNSAFE_LOCAL_EXEC: "1",
      LOG_FORMAT: "json",
    })
    expect(s).toMatchObject({ port: 5000, unsafeLocalExec: true, logFormat: "json" })
    expect(Option.map(s.anthropicKey, Redacted.value)).toEqual(Option.some("sk-test"))
    expect(String(s.anthropicKey)).not.toContain("sk-test")
  })

  it("takes a variable that is set to nothing for not set", async () => {
    const s = await settings({ PORT: "", ANTHROPIC_API_KEY: "", DATABASE_URL: "" })
    expect(s.port).toBe(4400)
    expect(Option.isNone(s.anthropicKey) && Option.isNone(s.databaseUrl)).toBe(true)
  })

  it("reads a secret from the file that <NAME>_FILE names, without the line break at its end", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "troupe-settings-")), "database_url")
    writeFileSync(file, "postgres://x:y@db/troupe\n")
    const s = await settings({ DATABASE_URL_FILE: file })
    expect(Option.map(s.databaseUrl, Redacted.value)).toEqual(Option.some("postgres://x:y@db/troupe"))
    await expect(settings({ DATABASE_URL_FILE: file, DATABASE_URL: "postgres://z" })).rejects.toThrow(
      "DATABASE_URL and DATABASE_URL_FILE are both set: keep one of them.",
    )
    await expect(settings({ SPRITES_TOKEN_FILE: `${file}.none` })).rejects.toThrow(
      /^SPRITES_TOKEN_FILE names .* cannot be read: correct the path/,
    )
    writeFileSync(file, "\n")
    expect(Option.isNone((await settings({ DATABASE_URL_FILE: file })).databaseUrl)).toBe(true)
  })

  it.each([
    ["PORT", "abc", "a port number"],
    ["PORT", "70000", "a port number"],
    ["LOG_FORMAT", "xml", "pretty or json"],
    ["TROUPE_UNSAFE_LOCAL_EXEC", "perhaps", "1 or nothing"],
  ])("says in one sentence what is wrong with %s=%s", (name, value, expected) =>
    expect(settings({ [name]: value })).rejects.toThrow(
      `${name} must be ${expected}, and it is "${value}": correct or unset it.`,
    ),
  )
})
