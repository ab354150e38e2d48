import { spawn } from "node:child_process"
import { join } from "node:path"
import { expect, it } from "vitest"

const root = join(import.meta.dirname, "../..")

it("the demo plays to its end: every question answered once, across a kill, with the bus beside it", async () => {
  const child = spawn(join(root, "node_modules/.bin/node"), ["infra/demo/main.ts"], { cwd: root })
  let out = ""
  child.stdout.on("data", (part) => (out += String(part)))
  child.stderr.on("data", (part) => (out += String(part)))
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve))
  expect(code, out).toBe(0)
  expect(out).toContain("suite: 41 passed, 1 failed")
  expect(out).toContain("interrupted, outcome unknown")
  expect(out).toContain("[report.txt, 27 bytes]")
  expect(out).toMatch(/echo first \(exit code 0\)[^]*I heard: "and say when it is done"/)
  expect(out).toMatch(/Stopped\. [^]*sleep 60/)
  expect(out.match(/\bdelivery\b/g)?.length).toBeGreaterThanOrEqual(6)
}, 70_000)
