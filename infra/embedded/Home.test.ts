import * as Effect from "effect/Effect"
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { spawn } from "node:child_process"
import { afterAll, expect, it } from "vitest"
import { openHome } from "./Home.ts"

const made: Array<string> = []
const above = () => {
  made.push(mkdtempSync(join(tmpdir(), "troupe-home-")))
  return made.at(-1) ?? ""
}
const directory = () => join(above(), "home")
afterAll(() => made.forEach((path) => rmSync(path, { recursive: true, force: true })))
const opened = (path: string) => Effect.runPromise(Effect.scoped(openHome(path)))
const mode = (path: string) => statSync(path).mode & 0o777

it("makes a home that is closed to everybody else, and leaves a directory that was there as it is", async () => {
  const path = directory()
  await opened(path)
  expect(mode(path)).toBe(0o700)
  const shared = above()
  chmodSync(shared, 0o755)
  await opened(shared)
  expect(mode(shared)).toBe(0o755)
  expect(mode(join(shared, "lock"))).toBe(0o600)
})

it("keeps a secret in a file of its own, the same at the next start", async () => {
  const path = directory()
  const read = (fresh: string) =>
    Effect.runPromise(
      Effect.scoped(openHome(path).pipe(Effect.flatMap((home) => home.secret("keys/one", () => fresh)))),
    )
  expect(await read("first")).toBe("first")
  expect(await read("second")).toBe("first")
  expect(mode(join(path, "keys/one"))).toBe(0o600)
})

it("refuses a second start with one sentence that names the first", async () => {
  const path = directory()
  const second = Effect.gen(function* () {
    yield* openHome(path)
    return yield* Effect.flip(Effect.scoped(openHome(path)))
  })
  const error = await Effect.runPromise(Effect.scoped(second))
  expect(error._tag).toBe("HomeTaken")
  expect(error.message).toContain(`already runs on ${path} (process ${process.pid})`)
})

it("is free again after it was closed, and after its holder was killed", async () => {
  const path = directory()
  await opened(path)
  const code = `
    import * as Effect from "${import.meta.resolve("effect/Effect")}"
    import { openHome } from "${new URL("Home.ts", import.meta.url).href}"
    await Effect.runPromise(Effect.scoped(openHome("${path}").pipe(Effect.andThen(Effect.sync(() => console.log("held"))), Effect.andThen(Effect.sleep("1 hour")))))`
  const holder = spawn(process.execPath, ["--input-type=module", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  await new Promise((resolve) => holder.stdout.once("data", resolve))
  const refused = await Effect.runPromise(Effect.flip(Effect.scoped(openHome(path))))
  expect(refused._tag).toBe("HomeTaken")
  holder.kill("SIGKILL")
  await new Promise((resolve) => holder.once("exit", resolve))
  await opened(path)
  expect(readFileSync(join(path, "pid"), "utf8")).toBe(String(process.pid))
})

it("says what is wrong when the home cannot be a directory", async () => {
  const file = join(above(), "file")
  writeFileSync(file, "")
  const error = await Effect.runPromise(Effect.flip(Effect.scoped(openHome(file))))
  expect(error.message).toContain(`TROUPE_HOME cannot be ${file}`)
})

it("answers at once where no directory can be made at all", async () => {
  await expect(opened("/proc/no-home-here")).rejects.toThrow("TROUPE_HOME cannot be /proc/no-home-here")
})
