/** `troupe github setup` as a person meets it: a terminal, a browser, an emulated GitHub. */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { GithubEmulator } from "../emulators/github/index.ts"
import { testDirectory } from "../testing/index.ts"

const program = join(import.meta.dirname, "troupe.js")

const started = (home: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => {
  const child = spawn(process.execPath, [program, "github", "setup", ...args], {
    env: { PATH: process.env["PATH"] ?? "", TROUPE_HOME: home, ...env },
  })
  let out = ""
  let look = () => {}
  const note = (part: Buffer) => {
    out += part.toString()
    look()
  }
  child.stdout.on("data", note)
  child.stderr.on("data", note)
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve))
  return {
    out: () => out,
    ended,
    shows: (what: RegExp) =>
      new Promise<RegExpExecArray>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`it does not show ${String(what)}: ${out}`)), 20_000)
        look = () => {
          const found = what.exec(out)
          if (found === null) return
          clearTimeout(timer)
          resolve(found)
        }
        look()
      }),
  }
}

it("makes an App in the browser and keeps its secrets in a file of the user's own", () =>
  Effect.runPromise(
    Effect.gen(function* () {
      const gh = yield* GithubEmulator.start()
      const made = gh.manifest("code-1", { slug: "acme-agents" })
      const home = testDirectory()
      yield* Effect.promise(async () => {
        const setup = started(home, ["--name", "code", "--org", "acme", "--api-url", gh.apiUrl], {
          PUBLIC_URL: "https://troupe.example/",
        })
        const [address] = await setup.shows(/http:\/\/127\.0\.0\.1:\d+\/[\w-]+/)
        const form = await (await fetch(address)).text()
        const [, to = ""] = /action="([^"]+)"/.exec(form) ?? []
        const [, value = ""] = /name="manifest" value="([^"]+)"/.exec(form) ?? []
        const manifest = JSON.parse(value.replaceAll("&quot;", '"').replaceAll("&amp;", "&")) as Record<
          string,
          unknown
        >
        expect(manifest).toMatchObject({
          hook_attributes: { url: "https://troupe.example/hooks/code", active: true },
          public: false,
          default_permissions: { issues: "write", contents: "write", checks: "read" },
        })
        expect(manifest["default_permissions"]).not.toHaveProperty("workflows")
        const target = new URL(to)
        expect(target.origin + target.pathname).toBe(`${gh.url}/organizations/acme/settings/apps/new`)
        const state = target.searchParams.get("state")!

        const back = String(manifest["redirect_url"])
        expect((await fetch(`${back}?code=code-1&state=guessed`)).status).toBe(404)
        expect((await fetch(new URL("/", address))).status).toBe(404)
        expect((await fetch(`${back}?code=code-1&state=${state}`)).status).toBe(200)
        expect(await setup.ended).toBe(0)
        expect(setup.out()).toContain("/apps/acme-agents/installations/new")

        const file = join(home, "github/code.env")
        expect(statSync(file).mode & 0o777).toBe(0o600)
        const env = readFileSync(file, "utf8")
        expect(env).toContain(`GITHUB_APP_ID=${made.id}\n`)
        expect(env).toContain(`GITHUB_WEBHOOK_SECRET='${made.webhookSecret}'`)
        expect(env.split("\n")).toHaveLength(4)
        expect(setup.out()).not.toContain(made.webhookSecret)
      })
    }).pipe(Effect.scoped),
  ))

it("says what is missing where GitHub could not reach Troupe", async () => {
  const setup = started(testDirectory(), [])
  expect(await setup.ended).toBe(1)
  expect(setup.out()).toMatch(/set PUBLIC_URL/)
})
