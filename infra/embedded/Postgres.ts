/**
 * The embedded Postgres: the real server (fsync and checksums on) under our supervision, on loopback, with a random password.
 * Survives kill -9 of itself, of its workers and of us (P1: what was committed stays). Works as root and as any user.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { EmbeddedError } from "./EmbeddedError.ts"
import type { Home } from "./Home.ts"
import { localPort } from "./LocalPort.ts"
import {
  asServer,
  clearLeftovers,
  findCluster,
  initialize,
  inside,
  settle,
  type Cluster,
} from "./PostgresCluster.ts"
import { run } from "./Run.ts"
import type { Command } from "./ServerProcess.ts"
import { supervise } from "./Supervisor.ts"

const Access = Schema.fromJsonString(Schema.Struct({ port: Schema.Int, password: Schema.String }))
const FILE = "postgres.json"

/** Starts it on the home; stopped with the scope. The URL stays the same over crashes. */
export const startPostgres = Effect.fn("Postgres.start")(function* (home: Home) {
  const fresh = () => JSON.stringify({ port: 0, password: randomBytes(24).toString("hex") })
  const noted = yield* home
    .secret(FILE, fresh)
    .pipe(Effect.flatMap(Schema.decodeEffect(Access)), Effect.mapError(unreadable(home)))
  const cluster = yield* findCluster(home.path)
  yield* initialize(cluster, noted.password)
  yield* clearLeftovers(cluster)
  const port = yield* localPort(noted.port === 0 ? undefined : noted.port)
  if (port !== noted.port) yield* home.keep(FILE, JSON.stringify({ ...noted, port }))
  const server = supervise({
    part: "postgres",
    command: clearLeftovers(cluster).pipe(Effect.andThen(Effect.sync(() => command(cluster, port)))),
    // After kill -9 the workers need a moment to go.
    busy: /already exists|still in use|could not bind/,
    check: Effect.void,
    patience: "120 seconds",
  })
  const asked = run(join(cluster.bin, "postgres"), ["--version"], {}).pipe(Effect.orDie)
  const [{ status }, version] = yield* Effect.all([server, asked], { concurrency: 2 })
  yield* Effect.forkScoped(settle(cluster).pipe(Effect.catch((error) => Effect.logWarning(error.message))))
  return {
    url: urlOf(noted.password, port),
    port,
    /** "18.4" */
    version: /(\d+\.\d+)/.exec(version)?.[1] ?? version,
    status,
  }
})

const urlOf = (password: string, port: number) =>
  Redacted.make(`postgres://postgres:${password}@127.0.0.1:${port}/postgres`)

/** Where the embedded Postgres of a home answers while its Troupe runs; undefined where there is none. */
export const embeddedPostgres = (home: string): Redacted.Redacted | undefined => {
  const file = join(home, FILE)
  if (!existsSync(file)) return undefined
  const noted = Schema.decodeUnknownOption(Access)(readFileSync(file, "utf8"))
  return Option.getOrUndefined(Option.map(noted, ({ password, port }) => urlOf(password, port)))
}

const command = (cluster: Cluster, port: number): Command => {
  const settings = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: "",
    shared_buffers: "32MB",
    io_method: "sync",
    // After a crash everything goes to the disk first: at once, not file by file (of which there are a thousand).
    ...(process.platform === "linux" ? { recovery_init_sync_method: "syncfs" } : {}),
    max_logical_replication_workers: "0",
    // What users wrote must not end up in a log: statements and data stand only in messages below "log".
    log_min_messages: "log",
    log_min_error_statement: "panic",
  }
  return {
    file: join(cluster.bin, "postgres"),
    args: [
      "-D",
      inside(cluster, "data"),
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
    ...asServer(cluster),
    ready: "database system is ready to accept connections",
    stop: "SIGINT",
  }
}

const unreadable = (home: Home) => (cause: unknown) =>
  new EmbeddedError({
    part: "postgres",
    message: `${join(home.path, FILE)} cannot be read: put it back, it holds the password of the embedded Postgres.`,
    cause,
  })
