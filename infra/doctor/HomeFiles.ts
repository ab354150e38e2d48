/** TROUPE_HOME: whether we may use it, and whether anybody else may read what is secret in it. */
import * as Effect from "effect/Effect"
import { accessSync, constants, existsSync, globSync, statSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import process from "node:process"
import { Settings } from "../../runtime/index.ts"
import { ok, quoted, wrong, type Finding } from "./Finding.ts"

/** What nobody else may read. */
const secrets = [
  "encryption.key",
  "cli.token",
  "postgres.json",
  "sprites.json",
  "lock",
  "nats/*.json",
  "nats/nats.conf",
]

export const home = Effect.map(Settings, ({ home: given }): ReadonlyArray<Finding> => {
  const path = resolve(given)
  if (!existsSync(path)) {
    const above = nearest(path)
    return may(above)
      ? [ok("home", `${path} will be made at the first start.`)]
      : [wrong("home", `${path} cannot be made: ${above} is not ours to write.`, ownIt(above))]
  }
  if (!statSync(path).isDirectory())
    return [
      wrong(
        "home",
        `TROUPE_HOME is ${path}, which is no directory.`,
        `mv ${quoted(path)} ${quoted(`${path}.old`)}`,
      ),
    ]
  if (!may(path)) return [wrong("home", `${path} is not ours to read and write.`, ownIt(path))]
  const open = secrets
    .flatMap((name) => globSync(name, { cwd: path }))
    .map((name) => join(path, name))
    .filter((file) => (statSync(file).mode & 0o077) !== 0)
  return open.length === 0
    ? [ok("home", `${path}; nobody else may read what is secret in it.`)]
    : [
        wrong(
          "home",
          `Others may read ${open.length === 1 ? open[0] : `${open.length} secret files in ${path}`}.`,
          `chmod 600 ${open.map(quoted).join(" ")}`,
        ),
      ]
})

const ownIt = (path: string) =>
  `sudo chown -R ${process.getuid?.() ?? ""}:${process.getgid?.() ?? ""} ${quoted(path)}`

const may = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

const nearest = (path: string): string => (existsSync(path) ? path : nearest(dirname(path)))
