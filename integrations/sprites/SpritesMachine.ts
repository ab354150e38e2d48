/**
 * One sprite as a `Machine`. Every call has a time limit, because the SDK's file calls have none. Starting a process
 * is not idempotent: it is never repeated here; who needs that looks for it in `sessions` first.
 */
import type { Sprite, SpriteCommand } from "@fly/sprites"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { SandboxError } from "./Sandbox.ts"
import type { Checkpoint, Entry, Machine, NetworkRule, Session, SessionInfo, StreamName } from "./Sandbox.ts"
import { toSandboxError } from "./SpritesError.ts"
import { connect } from "./SpritesSession.ts"

type Signal = "TERM" | "KILL" | "INT"
type OnOutput = (stream: StreamName, chunk: Uint8Array) => void

const ANSWER_WITHIN = "30 seconds"
const FILE_WITHIN = "120 seconds"
/** All files of a machine may have to be copied. */
const COPY_WITHIN = "20 minutes"

const Listing = Schema.Struct({
  entries: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      path: Schema.String,
      type: Schema.Literals(["file", "directory", "symlink"]),
      size: Schema.Number,
      mode: Schema.String,
    }),
  ),
})
const decodeListing = Schema.decodeUnknownEffect(Listing)

/** A promise of the SDK as an Effect with a time limit. */
export const call = <A>(
  doing: string,
  run: (signal: AbortSignal) => Promise<A>,
  within: "30 seconds" | "120 seconds" | "130 seconds" | "20 minutes" = ANSWER_WITHIN,
): Effect.Effect<A, SandboxError> =>
  Effect.tryPromise({ try: run, catch: toSandboxError(doing) }).pipe(
    Effect.timeoutOrElse({
      duration: within,
      orElse: () =>
        Effect.fail(
          new SandboxError({
            kind: "unavailable",
            retry: "later",
            message: `Could not ${doing}: the sandbox server did not answer in ${within}. Try again.`,
            cause: within,
          }),
        ),
    }),
  )

export const spritesMachine = (sprite: Sprite, fresh: boolean): Machine => {
  const { name, client } = sprite

  const sessions: Machine["sessions"] = call(`list the sessions of ${name}`, () =>
    sprite.listSessions(),
  ).pipe(Effect.map((all): ReadonlyArray<SessionInfo> => all.map(({ id, command }) => ({ id, command }))))

  const killSession = (id: string, signal: Signal) =>
    call(`stop session ${id} of ${name}`, async () => {
      const lines = await sprite.killSession(id, `SIG${signal}`, "5s")
      let failure: string | undefined
      await lines.processAll((line) => {
        if (line.type === "error") failure = line.message ?? "the server gave no reason"
      })
      if (failure !== undefined) throw new Error(failure)
    }).pipe(
      Effect.catchIf(
        (error) => error.kind === "missing",
        () => Effect.void,
      ),
    )

  /** A refused WebSocket hides status and reason: ask over HTTP what is wrong. */
  const explain = (doing: string, id: string | null, refused: unknown) =>
    Effect.gen(function* () {
      yield* call(doing, () => client.getSprite(name))
      const present = id === null || (yield* sessions).some((session) => session.id === id)
      return yield* new SandboxError(
        present
          ? {
              kind: "lost",
              retry: "later",
              message: `Could not ${doing}: the connection was not opened; the process may have started.`,
              cause: refused,
            }
          : {
              kind: "missing",
              retry: "never",
              message: `Could not ${doing}: the session has ended.`,
              cause: refused,
            },
      )
    })

  const open = (
    doing: string,
    id: string | null,
    start: () => SpriteCommand,
    onOutput: OnOutput,
  ): Effect.Effect<Session, SandboxError, Scope.Scope> =>
    Effect.gen(function* () {
      const connected = yield* connect(start, onOutput).pipe(
        Effect.catch(({ refused }) => explain(doing, id, refused)),
      )
      const known = id ?? connected.id
      return {
        id: known ?? "",
        write: connected.write,
        exit: connected.exit,
        kill: (signal) =>
          known === null || signal === "INT" ? connected.signal(`SIG${signal}`) : killSession(known, signal),
      }
    })

  return {
    name,
    fresh,
    sessions,
    killSession,
    spawn: ({ argv, cwd, env, detachable, onOutput }) =>
      Effect.suspend(() => {
        const [file, ...args] = argv
        if (file === undefined || argv.some((arg) => arg.includes("\0")))
          return Effect.fail(
            new SandboxError({
              kind: "invalid",
              retry: "never",
              message: "A command needs a program, and no NUL characters.",
              cause: argv,
            }),
          )
        return open(
          `start ${file} on ${name}`,
          null,
          () =>
            sprite.spawn(file, args, {
              ...(cwd === undefined ? {} : { cwd }),
              ...(env === undefined ? {} : { env }),
              ...(detachable ? { detachable: true, maxRunAfterDisconnect: "0" } : {}),
            }),
          onOutput,
        )
      }),
    attach: (id, onOutput) =>
      open(`attach to session ${id} of ${name}`, id, () => sprite.attachSession(id), onOutput),
    readFile: (path) =>
      call(`read ${path}`, () => sprite.filesystem("/").readFile(path, null), FILE_WITHIN).pipe(
        Effect.map((bytes): Uint8Array => bytes),
      ),
    writeFile: (path, bytes) =>
      call(
        `write ${path}`,
        () =>
          sprite.filesystem("/").writeFile(path, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)),
        FILE_WITHIN,
      ),
    // Not the SDK's: its `readdir` drops sizes and modes, and its `stat` of a directory describes the first child.
    list: (path) =>
      call(`list ${path}`, async (signal) => {
        const query = new URLSearchParams({ path, workingDir: "/" })
        const response = await fetch(
          `${client.baseURL}/v1/sprites/${encodeURIComponent(name)}/fs/list?${query.toString()}`,
          { headers: { authorization: `Bearer ${client.token}` }, signal },
        )
        if (!response.ok) throw new Error(`${await response.text()} (status ${response.status})`)
        return (await response.json()) as unknown
      }).pipe(
        Effect.flatMap(decodeListing),
        Effect.mapError(toSandboxError(`list ${path}`)),
        Effect.map(({ entries }) =>
          entries.map((entry): Entry => ({ ...entry, mode: Number.parseInt(entry.mode, 8) })),
        ),
      ),
    remove: (path) => call(`remove ${path}`, () => sprite.filesystem("/").rm(path, { recursive: true })),
    checkpoint: (comment) =>
      call(
        `take a checkpoint of ${name}`,
        async () => {
          const last = await outcome(await sprite.createCheckpoint(comment))
          // The id is in the text only; who cannot find it there asks for the newest.
          const said = /\bCheckpoint (\S+) created/.exec(last)?.[1]
          const id = said ?? (await sprite.listCheckpoints())[0]?.id
          if (id === undefined) throw new Error("the server named no checkpoint")
          return id
        },
        COPY_WITHIN,
      ),
    checkpoints: call(`list the checkpoints of ${name}`, () => sprite.listCheckpoints()).pipe(
      Effect.map((all) =>
        all.map(({ id, createTime, comment }): Checkpoint => ({
          id,
          at: createTime,
          comment: comment ?? "",
        })),
      ),
    ),
    restore: (id) =>
      call(
        `restore checkpoint ${id} of ${name}`,
        async () => void (await outcome(await sprite.restoreCheckpoint(id))),
        COPY_WITHIN,
      ),
    network: call(`read the network policy of ${name}`, () => sprite.getNetworkPolicy()).pipe(
      Effect.map(({ rules }) =>
        rules.flatMap(({ domain, action }): ReadonlyArray<NetworkRule> =>
          domain === undefined || action === undefined ? [] : [{ domain, action }],
        ),
      ),
    ),
    setNetwork: (rules) =>
      call(`set the network policy of ${name}`, () => sprite.updateNetworkPolicy({ rules: [...rules] })),
  }
}

interface Lines {
  readonly processAll: (
    handler: (line: { type: string; data?: string; error?: string }) => void,
  ) => Promise<void>
}

/** These streams report a failure as one of their lines, and never throw for it. */
const outcome = async (stream: Lines): Promise<string> => {
  let last = ""
  let failure: string | undefined
  await stream.processAll((line) => {
    if (line.type === "error") failure = line.error ?? line.data ?? "the server gave no reason"
    if (line.data !== undefined) last = line.data
  })
  if (failure !== undefined) throw new Error(failure)
  return last
}
