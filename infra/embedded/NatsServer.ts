/**
 * The embedded NATS: the system's own nats-server under our supervision, on loopback, JetStream on disk; users are `runtime`, the
 * read-only `inspector`, and one per outside agent, who is admitted while it runs, and nobody else is dropped. At each start it is proved that nobody comes in without a password. P3: the streams may be lost.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { EmbeddedError } from "./EmbeddedError.ts"
import type { Home } from "./Home.ts"
import { localPort } from "./LocalPort.ts"
import { atLeast, natsConfig } from "./NatsConfig.ts"
import { greet } from "./NatsHandshake.ts"
import { NatsPermissions } from "../../runtime/index.ts"
import { fileOf, writeOutsider, type Outsider } from "./OutsiderFile.ts"
import { commandOf, signal } from "./Processes.ts"
import { run } from "./Run.ts"
import { supervise } from "./Supervisor.ts"
import { natsServer, systemProgram } from "./SystemPackage.ts"

const Access = Schema.fromJsonString(
  Schema.Struct({
    port: Schema.Int,
    passwords: Schema.Struct({ runtime: Schema.String, inspector: Schema.String, system: Schema.String }),
    /** Outside agents as they were last admitted, so that a restart of all does not lock them out meanwhile. */
    outside: Schema.Array(
      Schema.Struct({
        id: Schema.String,
        name: Schema.String,
        password: Schema.String,
        may: Schema.Struct({
          publish: Schema.Array(Schema.String),
          subscribe: Schema.Array(Schema.String),
        }),
      }),
    ).pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
  }),
)

const FILE = "nats/access.json"
const OLDEST = [2, 9, 10]

/** Starts it on the home; stopped with the scope. The URL stays the same over crashes. */
export const startNats = Effect.fn("Nats.start")(function* (home: Home) {
  const program = yield* systemProgram(natsServer)
  const version = yield* run(program, ["--version"], {}).pipe(
    Effect.map((said) => /v(\d+\.\d+\.\d+\S*)/.exec(said)?.[1] ?? "0"),
    Effect.catch((cause) => fail(`${program} cannot be run: ${cause.message}.`, cause)),
  )
  if (!atLeast(version, OLDEST)) {
    return yield* fail(
      `${program} is version ${version}, Troupe needs ${OLDEST.join(".")} or newer: upgrade it, or set NATS_URL.`,
    )
  }
  const noted = yield* home.secret(FILE, fresh).pipe(
    Effect.flatMap(Schema.decodeEffect(Access)),
    Effect.catchTag("SchemaError", (cause) =>
      fail(`${join(home.path, FILE)} cannot be read: remove it, and it is made again.`, cause),
    ),
  )
  const dir = join(home.path, "nats")
  yield* clearLeftover(dir)
  const port = yield* localPort(noted.port === 0 ? undefined : noted.port)
  const url = `nats://127.0.0.1:${port}`
  const inspector = join(dir, "inspector.json")
  let access: typeof Access.Type = { ...noted, port }
  /** Writes who may come in; true when that differs from what the server has. */
  let config = ""
  const configure = Effect.gen(function* () {
    const { passwords, outside } = access
    const before = config
    config = natsConfig({
      port,
      dir,
      version,
      passwords,
      outside: outside.map(({ name, password, may }) => ({
        user: name,
        password: JSON.stringify(password),
        may,
      })),
    })
    yield* home.keep(FILE, JSON.stringify(access))
    yield* home.keep("nats/nats.conf", config)
    return config !== before
  })
  yield* configure
  // Also a context file of the NATS CLI, which knows these names and passes over `context`.
  yield* home.keep(
    "nats/inspector.json",
    JSON.stringify({
      description: "Troupe, read only",
      url,
      user: "inspector",
      password: noted.passwords.inspector,
      inbox_prefix: NatsPermissions.inboxOf("inspector"),
      context: inspector,
    }),
  )
  const { status } = yield* supervise({
    part: "nats",
    command: clearLeftover(dir).pipe(
      Effect.as({
        file: program,
        args: ["-c", configOf(dir)],
        ready: "Server is ready",
        stop: "SIGTERM" as const,
      }),
    ),
    busy: /address already in use/,
    check: greet(port).pipe(
      Effect.flatMap((answer) => {
        if (answer === "refused") return Effect.void
        if (answer === "silent") return fail(`${program} does not answer on ${url}.`)
        return fail(`${program} ${version} lets clients in without a password: upgrade it, or set NATS_URL.`)
      }),
    ),
    patience: "60 seconds",
  })
  const admit = Effect.fn("Nats.admit")(function* (outsiders: ReadonlyArray<Outsider>) {
    const known = new Map(access.outside.map((o) => [o.id, o]))
    for (const { name } of access.outside) {
      if (!outsiders.some((o) => o.name === name))
        yield* Effect.sync(() => rmSync(fileOf(home, name), { force: true }))
    }
    access = {
      ...access,
      outside: outsiders.map(({ id, name, may }) => ({
        id,
        name,
        may,
        password: known.get(id)?.password ?? password(),
      })),
    }
    const changed = yield* configure
    for (const { id, password } of access.outside)
      yield* writeOutsider(
        home,
        url,
        outsiders.find((o) => o.id === id)!,
        password,
      )
    const now = yield* SubscriptionRef.get(status)
    // One that is just starting reads the file by itself.
    if (!changed || now._tag !== "Running") return
    signal(now.pid, "SIGHUP")
    const last = access.outside.at(-1)
    if (last === undefined) return
    const admitted = yield* greet(port, { user: last.name, pass: last.password }).pipe(
      Effect.repeat({ until: (answer) => answer === "admitted", schedule: Schedule.spaced("10 millis") }),
      Effect.timeoutOption("5 seconds"),
    )
    if (admitted._tag === "None")
      yield* fail(`${program} did not take up its changed users: see ${configOf(dir)}, and restart Troupe.`)
  })
  return {
    url,
    admit,
    user: "runtime",
    password: Redacted.make(noted.passwords.runtime),
    port,
    version,
    /** What a person types to listen; shows no password. */
    listen: `nats --context ${quoted(inspector)} sub 'troupe.>'`,
    status,
  }
})

const password = () => randomBytes(24).toString("hex")

const fresh = () => {
  return JSON.stringify({
    port: 0,
    passwords: { runtime: password(), inspector: password(), system: password() },
  })
}

const configOf = (dir: string) => join(dir, "nats.conf")

/** Ends a server that a killed run left on this store: the noted process, if its command line names our configuration. */
const clearLeftover = Effect.fnUntraced(function* (dir: string) {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const file = join(dir, "nats.pid")
  const pid = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0
  const runs = () => pid > 0 && (commandOf(pid)?.includes(configOf(dir)) ?? false)
  if (!runs()) return
  signal(pid, "SIGTERM")
  const gone = yield* Effect.sleep(5).pipe(
    Effect.repeat({ until: () => !runs() }),
    Effect.timeoutOption("10 seconds"),
  )
  if (gone._tag === "Some") return
  signal(pid, "SIGKILL")
  yield* Effect.sleep(5).pipe(Effect.repeat({ until: () => !runs() }), Effect.timeoutOption("5 seconds"))
})

const quoted = (path: string) => (/^[\w/.+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`)

const fail = (message: string, cause: unknown = message) =>
  Effect.fail(new EmbeddedError({ part: "nats", message, cause }))
