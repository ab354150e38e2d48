/**
 * One SDK command made safe: the bridge from its events to Effect.
 *
 * - Listeners are attached in the same tick as the command is made: an `error` without listener ends the process,
 *   and one refused connection emits three.
 * - `exit` is settled by the exit frame, by an error, or by the socket's end: the SDK's own `wait()` may never settle.
 *   An exit of -1 means that no exit frame came: `lost`, never a result. So does 45 s of silence, after which the SDK
 *   hangs up; a detachable process goes on, and whoever needs it attaches again.
 * - Exit waits until both streams were read to their end, so no output comes after it.
 * - Input is possible only once the socket is open: before that the SDK drops it without a word.
 * - Closing the scope closes the socket, which the SDK has no public call for. It detaches; it does not kill.
 */
import type { SpriteCommand } from "@fly/sprites"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { SandboxError } from "./Sandbox.ts"
import type { StreamName } from "./Sandbox.ts"

/** What @fly/sprites 0.1.0 keeps private and we cannot do without: the socket, to hang up and to hear `session_info`. */
interface Inside {
  readonly wsCmd?: { readonly ws?: WebSocket | null; readonly close?: () => void }
}

const SessionInfoText = Schema.fromJsonString(
  Schema.Struct({ type: Schema.Literal("session_info"), session_id: Schema.String, tty: Schema.Boolean }),
)
const ExitText = Schema.fromJsonString(Schema.Struct({ type: Schema.Literal("exit"), exit_code: Schema.Int }))
const decodeInfo = Schema.decodeUnknownOption(SessionInfoText)
const decodeExit = Schema.decodeUnknownOption(ExitText)

/** A frame this large at most: the server reads a write as one frame. */
const FRAME = 256 * 1024
const OPEN_WITHIN = "20 seconds"
const ID_WITHIN = "5 seconds"

export interface Connected {
  /** From the server's first message; null when it sent none in time. */
  readonly id: string | null
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, SandboxError>
  readonly signal: (name: string) => Effect.Effect<void>
  readonly exit: Effect.Effect<number, SandboxError>
}

const lost = (why: string, cause: unknown = why): SandboxError =>
  new SandboxError({
    kind: "lost",
    retry: "later",
    message: `The connection to the process broke (${why}): whether it still runs is unknown.`,
    cause,
  })

/** Fails with the raw cause when the socket does not open: only the caller can ask the server why. */
export const connect = Effect.fnUntraced(function* (
  start: () => SpriteCommand,
  onOutput: (stream: StreamName, chunk: Uint8Array) => void,
): Effect.fn.Return<Connected, { readonly refused: unknown }, Scope.Scope> {
  const opened = Deferred.makeUnsafe<void, { readonly refused: unknown }>()
  const named = Deferred.makeUnsafe<string | null>()
  const ended = Deferred.makeUnsafe<number, SandboxError>()
  const finish = (result: Effect.Effect<number, SandboxError>) => {
    Deferred.doneUnsafe(ended, result)
    Deferred.doneUnsafe(named, Effect.succeed(null))
  }

  const listen = (command: SpriteCommand) => {
    let code: number | undefined
    let streams = 2
    let tty = false
    let ttyCode: number | undefined
    const settle = () => {
      if (code === undefined || streams > 0) return
      // A terminal's code is only in its last text message; the SDK makes one up from the close code.
      const result = tty ? (ttyCode ?? -1) : code
      finish(result < 0 ? Effect.fail(lost("no exit code came")) : Effect.succeed(result))
    }
    command.on("error", (error: unknown) => {
      Deferred.doneUnsafe(opened, Effect.fail({ refused: error }))
      finish(Effect.fail(lost(error instanceof Error ? error.message.split(" (url: ")[0]! : "error", error)))
    })
    command.on("spawn", () => Deferred.doneUnsafe(opened, Effect.void))
    command.on("exit", (exit: number) => {
      code = exit
      Deferred.doneUnsafe(opened, exit < 0 ? Effect.fail({ refused: "closed before open" }) : Effect.void)
      settle()
    })
    for (const stream of ["stdout", "stderr"] as const) {
      command[stream].on("data", (chunk: Uint8Array) => onOutput(stream, chunk))
      command[stream].on("end", () => {
        streams--
        settle()
      })
    }
    inside(command).wsCmd?.ws?.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (typeof data !== "string") return
      for (const info of Option.toArray(decodeInfo(data))) {
        tty = info.tty
        Deferred.doneUnsafe(named, Effect.succeed(info.session_id))
      }
      for (const exit of Option.toArray(decodeExit(data))) ttyCode = exit.exit_code
    })
  }

  const command = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const command = start()
      listen(command)
      return command
    }),
    (command) =>
      Effect.sync(() => {
        inside(command).wsCmd?.close?.()
        inside(command).wsCmd?.ws?.close()
        finish(Effect.fail(lost("we hung up")))
      }),
  )
  yield* Deferred.await(opened).pipe(
    Effect.timeoutOrElse({
      duration: OPEN_WITHIN,
      orElse: () => Effect.fail({ refused: new Error("it did not open in 20 seconds") }),
    }),
  )
  const id = yield* Deferred.await(named).pipe(
    Effect.timeoutOrElse({ duration: ID_WITHIN, orElse: () => Effect.succeed(null) }),
  )

  return {
    id,
    exit: Deferred.await(ended),
    signal: (name) => Effect.sync(() => command.signal(name)),
    write: (bytes) =>
      Effect.suspend(() => {
        if (Deferred.isDoneUnsafe(ended) || inside(command).wsCmd?.ws?.readyState !== WebSocket.OPEN)
          return Effect.fail(lost("it is closed"))
        for (let at = 0; at < bytes.length; at += FRAME)
          command.stdin.write(Buffer.from(bytes.subarray(at, at + FRAME)))
        return Effect.void
      }),
  }
})

const inside = (command: SpriteCommand): Inside => command as unknown as Inside
