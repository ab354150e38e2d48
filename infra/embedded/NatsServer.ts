/**
 * The embedded NATS: the system's own nats-server under our supervision, on loopback, JetStream on disk, two users (`runtime`, and
 * the read-only `inspector`). At each start it is proved that nobody comes in without a password. P3: the streams may be lost.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { EmbeddedError } from "./EmbeddedError.ts"
import type { Home } from "./Home.ts"
import { localPort } from "./LocalPort.ts"
import { atLeast, INSPECTOR_INBOX, natsConfig } from "./NatsConfig.ts"
import { greetStranger } from "./NatsHandshake.ts"
import { commandOf, signal } from "./Processes.ts"
import { run } from "./Run.ts"
import { supervise } from "./Supervisor.ts"
import { natsServer, systemProgram } from "./SystemPackage.ts"

const Access = Schema.fromJsonString(
  Schema.Struct({
    port: Schema.Int,
    passwords: Schema.Struct({ runtime: Schema.String, inspector: Schema.String, system: Schema.String }),
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
  yield* home.keep(FILE, JSON.stringify({ ...noted, port }))
  yield* home.keep("nats/nats.conf", natsConfig({ port, dir, version, passwords: noted.passwords }))
  // Also a context file of the NATS CLI, which knows these names and passes over `context`.
  yield* home.keep(
    "nats/inspector.json",
    JSON.stringify({
      description: "Troupe, read only",
      url,
      user: "inspector",
      password: noted.passwords.inspector,
      inbox_prefix: INSPECTOR_INBOX,
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
    check: greetStranger(port).pipe(
      Effect.flatMap((answer) => {
        if (answer === "refused") return Effect.void
        if (answer === "silent") return fail(`${program} does not answer on ${url}.`)
        return fail(`${program} ${version} lets clients in without a password: upgrade it, or set NATS_URL.`)
      }),
    ),
    patience: "60 seconds",
  })
  return {
    url,
    user: "runtime",
    password: Redacted.make(noted.passwords.runtime),
    port,
    version,
    /** What a person types to listen; shows no password. */
    listen: `nats --context ${quoted(inspector)} sub 'troupe.>'`,
    status,
  }
})

const fresh = () => {
  const password = () => randomBytes(24).toString("hex")
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
