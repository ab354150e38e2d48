/**
 * The data directory of the embedded Postgres (`<home>/postgres/data`): made once, handed to the user that serves it, freed of
 * what a killed run left behind.
 *
 * As root the server runs as its own user, which cannot pass through the closed home (nor, often, through the directories
 * above it). It does not have to: it inherits the directory open, and finds its data under /proc/self/fd/3, a road that
 * starts at the open directory. So the data stays in the home, and no directory is opened to anybody.
 */
import * as Effect from "effect/Effect"
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, openSync, readdirSync } from "node:fs"
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { EmbeddedError, reason } from "./EmbeddedError.ts"
import { postgresBinaries } from "./PostgresBinaries.ts"
import { processesIn, signal } from "./Processes.ts"
import { run } from "./Run.ts"
import { serverUser, type ServerUser } from "./ServerUser.ts"

export interface Cluster {
  /** The directory with the programs. */
  readonly bin: string
  readonly user: ServerUser | undefined
  /** `<home>/postgres`. */
  readonly dir: string
  readonly data: string
}

/** The major version whose data this is; another one needs a dump and a restore. */
const MAJOR = "18"
/** Postgres' own collation: the order of texts does not change with the system's libraries. */
const TEXT = ["-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"]
/** The file that says that the data was made without fsync and is not on the disk for sure. */
const UNSETTLED = "unsettled"
/** Where root keeps a copy of the programs when it must. Only root may write there. */
const SHARED = "/var/lib/troupe"

export const findCluster = (home: string): Effect.Effect<Cluster, EmbeddedError> =>
  attempt("The embedded Postgres cannot be set up", () => {
    const dir = join(home, "postgres")
    const user = serverUser()
    if (user !== undefined && process.platform !== "linux")
      throw new Error("it does not run as root on this system")
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    chmodSync(dir, 0o700)
    const data = join(dir, "data")
    if (user !== undefined) handOver(dir, user)
    return { bin: join(postgresBinaries(user, user === undefined ? dir : SHARED), "bin"), user, dir, data }
  })

/** The path by which the server finds a file of `cluster.dir`. */
export const inside = ({ user, dir }: Cluster, name: string): string =>
  user === undefined ? join(dir, name) : `/proc/self/fd/3/${name}`

/** How the server's programs are started: as its user, with the directory open. */
export const asServer = ({ user, dir }: Cluster): { uid?: number; gid?: number; directory?: number } =>
  user === undefined ? {} : { ...user, directory: openSync(dir, "r") }

/** Makes the data directory unless it is there. */
export const initialize = Effect.fnUntraced(function* (cluster: Cluster, password: string) {
  const version = yield* attempt("The data of the embedded Postgres cannot be read", () =>
    existsSync(cluster.data) ? readFileSync(join(cluster.data, "PG_VERSION"), "utf8").trim() : undefined,
  )
  if (version !== undefined && version !== MAJOR) {
    return yield* new EmbeddedError({
      part: "postgres",
      message: `${cluster.data} is of Postgres ${version}, this Troupe brings ${MAJOR}: start the version that made it, dump, and restore.`,
      cause: version,
    })
  }
  if (version !== undefined) return
  const passwordFile = join(cluster.dir, "password")
  const half = join(cluster.dir, "data.new")
  yield* attempt("The data of the embedded Postgres cannot be made", () => {
    rmSync(half, { recursive: true, force: true })
    rmSync(passwordFile, { force: true })
    mkdirSync(half, { mode: 0o700 })
    writeFileSync(passwordFile, password, { mode: 0o600 })
    if (cluster.user !== undefined) for (const path of [half, passwordFile]) chown(path, cluster.user)
  })
  // Without fsync here; `settle` makes up for it once the server runs.
  const account = ["-U", "postgres", "-A", "scram-sha-256", `--pwfile=${inside(cluster, "password")}`]
  yield* initdb(cluster, [
    ...account,
    ...TEXT,
    "--no-sync",
    "--no-instructions",
    "-D",
    inside(cluster, "data.new"),
  ])
  yield* attempt("The data of the embedded Postgres cannot be made", () => {
    rmSync(passwordFile)
    writeFileSync(join(cluster.dir, UNSETTLED), "")
    renameSync(half, cluster.data)
  })
})

/** Brings new data to the disk, once; the server may run meanwhile. */
export const settle = (cluster: Cluster): Effect.Effect<void, EmbeddedError> => {
  const mark = join(cluster.dir, UNSETTLED)
  return existsSync(mark)
    ? initdb(cluster, ["--sync-only", "-D", inside(cluster, "data")]).pipe(
        Effect.andThen(attempt("The data of the embedded Postgres cannot be marked", () => rmSync(mark))),
        Effect.uninterruptible,
      )
    : Effect.void
}

/**
 * Ends what an earlier run left behind. The home's lock says that no other Troupe uses this directory. A live postmaster is
 * asked to stop; workers without one serve nobody, hold the memory and would never end while their clients are busy.
 */
export const clearLeftovers = Effect.fnUntraced(function* ({ data }: Cluster) {
  const file = join(data, "postmaster.pid")
  const noted = existsSync(file) ? Number(readFileSync(file, "utf8").split("\n")[0]) : undefined
  if (noted !== undefined && processesIn(data).includes(noted)) {
    signal(noted, "SIGINT")
    yield* Effect.sleep(5).pipe(
      Effect.repeat({ until: () => !processesIn(data).includes(noted) }),
      Effect.timeoutOption("10 seconds"),
    )
  }
  for (const pid of processesIn(data)) signal(pid, "SIGKILL")
  yield* Effect.sleep(5).pipe(
    Effect.repeat({ until: () => processesIn(data).length === 0 }),
    Effect.timeoutOption("10 seconds"),
  )
  // Postgres refuses to start while the noted number is taken: by a zombie that nobody has reaped yet, or, after a container's
  // restart, by any of our own processes. Nobody works in the directory, so the file is certainly stale.
  if (noted !== undefined && process.platform === "linux" && processesIn(data).length === 0)
    rmSync(file, { force: true })
})

const initdb = (cluster: Cluster, args: ReadonlyArray<string>) =>
  Effect.suspend(() => run(join(cluster.bin, "initdb"), args, asServer(cluster))).pipe(
    Effect.mapError(
      (cause) =>
        new EmbeddedError({
          part: "postgres",
          message: `The embedded Postgres cannot make its data: ${cause.message}`,
          cause,
        }),
    ),
  )

/** Gives the directory and all in it to the user, unless it has it: a container made anew may number its users differently. */
const handOver = (path: string, user: ServerUser): void => {
  const { uid, gid } = statSync(path)
  if (uid === user.uid && gid === user.gid) return
  for (const name of readdirSync(path)) {
    const below = join(path, name)
    if (lstatSync(below).isDirectory()) handOver(below, user)
    else chown(below, user)
  }
  chown(path, user)
}

/** Never follows a link: what it points to is not ours to give. */
const chown = (path: string, { uid, gid }: ServerUser): void => {
  if (!lstatSync(path).isSymbolicLink()) chownSync(path, uid, gid)
}

const attempt = <A>(what: string, work: () => A) =>
  Effect.try({
    try: work,
    catch: (cause) =>
      new EmbeddedError({
        part: "postgres",
        message: `${what}: ${reason(cause)}. Or set DATABASE_URL.`,
        cause,
      }),
  })
