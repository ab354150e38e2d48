import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { remove, serve, temporaryHome, until } from "./testing/TestSprites.ts"

it("A server removes what a killed one of its home left in the temporary directory, and nothing else", async () => {
  const home = temporaryHome()
  const temporary = join(home, "tmp")
  fs.mkdirSync(temporary)
  const left = () => fs.readdirSync(temporary).filter((name) => name.startsWith("troupe-sprites-"))
  const another = "troupe-sprites-0123456789ab-AnOther"
  fs.mkdirSync(join(temporary, another, "pipes"), { recursive: true })

  const file = join(home, "sprites.json")
  const program = `
    import * as Effect from "effect/Effect"
    import { start } from ${JSON.stringify(new URL("./LocalSprites.ts", import.meta.url).href)}
    const options = ${JSON.stringify({ home, file, unsafeLocalExec: false })}
    Effect.runPromise(Effect.scoped(Effect.andThen(start(options), Effect.never)))`
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { PATH: process.env["PATH"], TMPDIR: temporary },
    cwd: process.cwd(),
  })
  await until("the server", () => fs.existsSync(file))
  child.kill("SIGKILL")
  await until("its end", () => child.signalCode !== null)
  const [killed] = left().filter((name) => name !== another)
  expect(killed).toBeDefined()

  const before = process.env["TMPDIR"]
  process.env["TMPDIR"] = temporary
  try {
    const server = await serve({ home })
    expect(left()).toHaveLength(2)
    expect(left()).not.toContain(killed)
    await server.stop()
    expect(left()).toEqual([another])
  } finally {
    if (before === undefined) delete process.env["TMPDIR"]
    else process.env["TMPDIR"] = before
    remove(home)
  }
})
