/**
 * The local Sprites server: what @fly/sprites talks to where there is no Fly. Commands run under bubblewrap in
 * sandboxes with a persistent home, without a network, the host's files, its environment or its processes. Where that
 * cannot be had the server still starts, refuses every command with the reason, and says so in its status.
 *
 * Everything it starts ends with its scope, and with the process. Inside, this folder is plain Node (sockets, pipes,
 * child processes); this file is where it meets Effect.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { createHash, randomBytes } from "node:crypto"
import * as fs from "node:fs"
import type { Server } from "node:http"
import type { AddressInfo } from "node:net"
import * as os from "node:os"
import { basename, dirname, join, resolve } from "node:path"
import { Agents } from "./Agents.ts"
import { checkpointRoutes } from "./checkpoints/CheckpointRoutes.ts"
import { Checkpoints } from "./checkpoints/Checkpoints.ts"
import { execRoutes, execUpgrades, fileRoutes } from "./ExecRoutes.ts"
import { findTools } from "./Isolation.ts"
import { Launcher } from "./Launcher.ts"
import { defaultLimits, type Limits } from "./Limits.ts"
import { Losses } from "./Losses.ts"
import { Machines } from "./Machines.ts"
import { Egress, internet, type Outside } from "./network/Egress.ts"
import { allowsAny } from "./network/EgressPolicy.ts"
import { Networks, probe as probeNetworks } from "./network/Networks.ts"
import { Pipes } from "./Pipes.ts"
import { policyRoutes } from "./PolicyRoutes.ts"
import { probe } from "./Probe.ts"
import { Cgroups } from "./quotas/Cgroups.ts"
import { DiskWatch } from "./quotas/DiskWatch.ts"
import { enforce, watchMillis } from "./quotas/ProcessWatch.ts"
import { makeServer } from "./Server.ts"
import { serviceRoutes } from "./services/ServiceRoutes.ts"
import { Services } from "./services/Services.ts"
import { SessionRegistry } from "./SessionRegistry.ts"
import { spriteRoutes } from "./SpriteRoutes.ts"
import { type Sprite, SpriteStore } from "./SpriteStore.ts"
import { noNetworks, type Status, statusOf } from "./Status.ts"
import { jsonObject } from "./Wire.ts"

export class LocalSpritesError extends Schema.TaggedError<LocalSpritesError>()("LocalSpritesError", {
  message: Schema.String,
  cause: Schema.Defect(),
}) {}

export interface Options {
  /** Sprites live below `<home>/sprites`. */
  readonly home: string
  /** Where `{url, token}` is written, readable by the owner only. The port in it is used again if it is free. */
  readonly file: string
  /** Default: a new random one. */
  readonly token?: string
  /** Default: the port of the last start, else a free one. */
  readonly port?: number
  /** Run commands without isolation where bubblewrap does not work. */
  readonly unsafeLocalExec: boolean
  /** Where bubblewrap is; default: found on PATH. */
  readonly bwrap?: string
  readonly limits?: Partial<Limits>
  /** What an allowed connection meets; default: the internet. */
  readonly outside?: Outside
}

export interface LocalSprites {
  readonly url: string
  readonly token: string
  readonly status: Status
}

export const start = Effect.fn("LocalSprites.start")(function* (
  options: Options,
): Effect.fn.Return<LocalSprites, LocalSpritesError, Scope.Scope> {
  const limits = { ...defaultLimits, ...options.limits }
  const token = options.token ?? randomBytes(32).toString("base64url")
  const root = join(resolve(options.home), "sprites")

  const runtime = yield* Effect.acquireRelease(
    attempt("The local Sprites server cannot make a directory for its pipes", () => {
      const prefix = join(os.tmpdir(), `troupe-sprites-${homeId(root)}-`)
      removeLeftovers(prefix)
      const directory = fs.mkdtempSync(prefix)
      fs.chmodSync(directory, 0o711)
      return directory
    }),
    (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true, force: true })),
  )
  const store = yield* attempt(`The local Sprites server cannot use ${root}`, () => new SpriteStore(root))
  const pipes = yield* attempt(
    "The local Sprites server cannot make pipes",
    () => new Pipes(join(runtime, "pipes")),
  )
  fs.mkdirSync(join(runtime, "probe"), { mode: 0o711 })
  const isolation = yield* Effect.tryPromise({
    try: () =>
      probe(join(runtime, "probe"), root, options.unsafeLocalExec, findTools(options.bwrap), limits, pipes),
    catch: (cause) => new LocalSpritesError({ message: "The sandbox could not be tried out.", cause }),
  })
  const apart =
    isolation._tag === "Bubblewrap" ? yield* closing(() => probeNetworks(isolation.tools)) : noNetworks
  const networks =
    apart === undefined && isolation._tag === "Bubblewrap"
      ? yield* Effect.acquireRelease(
          Effect.sync(() => new Networks(isolation.tools)),
          (networks) => Effect.sync(() => networks.close()),
        )
      : undefined
  const cgroups = Cgroups.open(homeId(root), limits)
  if (cgroups instanceof Cgroups) yield* Effect.addFinalizer(() => Effect.sync(() => cgroups.close()))
  const disk = new DiskWatch(store, root, limits, (name, reason) => {
    for (const session of sessions.all(name)) session.killFor(reason)
    // What serves its files may write none from now on either.
    void agents.end(name)
  })
  const launcher = new Launcher(
    isolation,
    limits,
    store,
    pipes,
    networks,
    cgroups instanceof Cgroups ? cgroups : undefined,
    (name) => disk.isFull(name),
  )
  const losses = new Losses(store)
  const sessions = new SessionRegistry(launcher, losses)
  const egress = new Egress(store, options.outside ?? internet)
  const opens = (name: string) => store.has(name) && allowsAny(store.get(name).networkRules)
  const agents = yield* Effect.acquireRelease(
    Effect.sync(
      () =>
        new Agents(launcher, join(runtime, "agents"), {
          listen: (sprite, path) => egress.listen(sprite, path),
          wanted: ({ name }) => opens(name) && sessions.all(name).length > 0,
        }),
    ),
    (agents) => closing(() => agents.close()),
  )
  yield* Effect.addFinalizer(() => closing(() => sessions.close()))
  const carry = (sprite: Sprite) =>
    void agents.borrow(sprite).then(
      (loan) => loan.release(),
      () => {},
    )
  const services = yield* Effect.acquireRelease(
    Effect.sync(() => new Services(store, sessions)),
    (services) => Effect.sync(() => services.close()),
  )
  const machines = new Machines(launcher, sessions, agents, disk, {
    wake: (sprite) => {
      if (opens(sprite.name)) carry(sprite)
      services.wake(sprite)
    },
    sleep: (name) => services.sleep(name),
  })
  const checkpoints = new Checkpoints(launcher, machines, disk)
  const networkChanged = async (name: string) => {
    egress.enforce(name)
    if (opens(name)) (await agents.borrow(await machines.wake(name))).release()
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => watch(launcher, sessions, machines, disk)),
    (stop) => Effect.sync(stop),
  )
  const { server, close } = makeServer(
    token,
    [
      ...spriteRoutes(store, machines, losses),
      ...execRoutes(store, machines, sessions),
      ...fileRoutes(machines, agents),
      ...checkpointRoutes(store, machines, checkpoints),
      ...serviceRoutes(store, machines, services),
      ...policyRoutes(store, launcher, networkChanged),
    ],
    execUpgrades(store, machines, sessions, agents),
  )
  const port = yield* Effect.acquireRelease(
    listen(server, options.port ?? lastPort(options.file)).pipe(
      Effect.catch((failure) => (options.port === undefined ? listen(server, 0) : Effect.fail(failure))),
    ),
    () => Effect.callback<void>((resume) => close(() => resume(Effect.void))),
  )
  // What served before this start serves again.
  for (const { name } of store.list("")) {
    if (services.wanted(name)) void machines.wake(name).catch(() => {})
  }
  const url = `http://127.0.0.1:${port}`
  yield* attempt(`The local Sprites server cannot write ${options.file}`, () =>
    writeSecret(options.file, { url, token }),
  )
  return {
    url,
    token,
    status: {
      ...statusOf(isolation, limits, apart, cgroups instanceof Cgroups ? undefined : cgroups),
      lost: losses.all,
    },
  }
})

/** Tells what belongs to one home from what belongs to another, on one machine. */
const homeId = (root: string): string => createHash("sha256").update(root).digest("hex").slice(0, 12)

const closing = <A>(run: () => Promise<A>): Effect.Effect<A> => Effect.promise(run)

/** The limits that no kernel keeps for us, looked at now and then. */
const watch = (
  { limits, store, memoryBytes }: Launcher,
  sessions: SessionRegistry,
  machines: Machines,
  disk: DiskWatch,
): (() => void) => {
  // The kernel counts the processes of a user, and as root each sprite has one of its own.
  const processes = process.getuid?.() === 0 ? Number.POSITIVE_INFINITY : limits.processes
  let looks = 0
  const timer = setInterval(() => {
    const each = looks++ % 4 === 0
    for (const name of sessions.busy) {
      enforce(sessions.all(name), { ...limits, processes, memoryBytes: memoryBytes(store.get(name)) }, each)
    }
    disk.look(sessions.busy)
    if (each) machines.stopIdle(Date.now())
  }, watchMillis)
  return () => clearInterval(timer)
}

/** Of an earlier server on the same home that was killed. Another user's file of that name is left alone. */
const removeLeftovers = (prefix: string): void => {
  for (const entry of fs.readdirSync(dirname(prefix))) {
    const path = join(dirname(prefix), entry)
    if (!entry.startsWith(basename(prefix)) || fs.lstatSync(path).uid !== process.getuid?.()) continue
    fs.rmSync(path, { recursive: true, force: true })
  }
}

const attempt = <A>(what: string, run: () => A): Effect.Effect<A, LocalSpritesError> =>
  Effect.try({
    try: run,
    catch: (cause) =>
      new LocalSpritesError({
        message: `${what}: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause,
      }),
  })

const listen = (server: Server, port: number): Effect.Effect<number, LocalSpritesError> =>
  Effect.callback((resume) => {
    const failed = (cause: Error) =>
      resume(
        Effect.fail(
          new LocalSpritesError({ message: `Port ${port} cannot be used: ${cause.message}`, cause }),
        ),
      )
    server.once("error", failed).listen(port, "127.0.0.1", () => {
      server.off("error", failed)
      resume(Effect.succeed((server.address() as AddressInfo).port))
    })
  })

const lastPort = (file: string): number => {
  if (!fs.existsSync(file)) return 0
  const url = jsonObject(fs.readFileSync(file, "utf8"))?.["url"]
  return typeof url === "string" && URL.canParse(url) ? Number(new URL(url).port) : 0
}

const writeSecret = (file: string, value: unknown): void => {
  fs.writeFileSync(`${file}.new`, JSON.stringify(value), { mode: 0o600 })
  fs.renameSync(`${file}.new`, file)
}
