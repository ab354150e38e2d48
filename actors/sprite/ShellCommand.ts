/**
 * One command in the shell, from being typed to its end mark: what it printed, and how it ended.
 *
 *   sent -> begun -> ended        (by marks in the shell's output)
 *
 * When the connection breaks, the server replays what it kept of the output, from some point on. `resync` prepares
 * for that: if the begin mark comes again, the output is collected anew from there; if not, what came is added and
 * `gap` says that some of it may be missing or doubled.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import { KeptOutput } from "./KeptOutput.ts"
import type { ShellMark } from "./ShellStream.ts"

/** Bytes of output kept in memory, at the beginning and at the end. */
const KEEP = 2 * 1024 * 1024
/** A command that prints more than this is stopped: it would only heat the machine. */
const FLOOD = 64 * 1024 * 1024

export const newMark = (): string => randomBytes(8).toString("hex")

export interface Ended {
  readonly code: number
  readonly cwd: string
}

export class ShellCommand {
  readonly mark: string
  /** What the command's processes carry in TROUPE_CALL, and the name of its stop file. */
  readonly tag: string
  readonly begun = Deferred.makeUnsafe<void>()
  readonly ended = Deferred.makeUnsafe<Ended>()
  readonly flooded = Deferred.makeUnsafe<void>()
  /** Why the guard stopped it. */
  stopped: "timeout" | "stop" | null = null
  /** Only of the boot script: where the shell lives, and whether it took over the state of the one before. */
  home: { readonly path: string; readonly kept: boolean } | null = null
  #output = new KeptOutput(KEEP, KEEP)
  #replay: KeptOutput | null = null
  #gap = false
  readonly #live: LiveText

  constructor(mark: string, tag: string, onOutput?: (text: string) => void) {
    this.mark = mark
    this.tag = tag
    this.#live = new LiveText(onOutput)
  }

  get isBegun(): boolean {
    return Deferred.isDoneUnsafe(this.begun)
  }

  get isFlooded(): boolean {
    return Deferred.isDoneUnsafe(this.flooded)
  }

  get gap(): boolean {
    return this.#gap
  }

  get output(): KeptOutput {
    return this.#output
  }

  resync(): void {
    this.#replay = new KeptOutput(KEEP, KEEP)
  }

  onText(bytes: Uint8Array): void {
    const output = this.#replay ?? this.#output
    output.append(bytes)
    if (this.#replay === null) this.#live.push(bytes)
    if (output.total > FLOOD) Deferred.doneUnsafe(this.flooded, Effect.void)
  }

  onMark(mark: ShellMark): void {
    switch (mark.kind) {
      case "home":
        this.home = { path: mark.home, kept: mark.kept }
        return
      case "begin":
        if (this.#replay !== null) {
          this.#replay = null
          this.#output = new KeptOutput(KEEP, KEEP)
          this.#live.restart()
        }
        Deferred.doneUnsafe(this.begun, Effect.void)
        return
      case "stopped":
        this.stopped = mark.why
        return
      case "end":
        this.#closeGap()
        this.#live.end()
        Deferred.doneUnsafe(this.ended, Effect.succeed({ code: mark.code, cwd: mark.cwd }))
    }
  }

  /** Call when no end mark will come any more. */
  abandon(): void {
    this.#closeGap()
    this.#live.end()
  }

  #closeGap(): void {
    if (this.#replay === null) return
    this.#gap = true
    this.#output.append(this.#replay.bytes)
    this.#replay = null
  }
}

/** Bytes as text for those who watch: cut anywhere, decoded as they come, and never twice after a replay. */
class LiveText {
  readonly #onOutput: ((text: string) => void) | undefined
  #decoder = new TextDecoder()
  #seen = 0
  #position = 0

  constructor(onOutput: ((text: string) => void) | undefined) {
    this.#onOutput = onOutput
  }

  restart(): void {
    this.#position = 0
  }

  push(bytes: Uint8Array): void {
    if (this.#onOutput === undefined) return
    const fresh = bytes.subarray(Math.max(0, this.#seen - this.#position))
    this.#position += bytes.length
    if (fresh.length === 0) return
    this.#seen = this.#position
    this.#say(this.#decoder.decode(fresh, { stream: true }))
  }

  end(): void {
    this.#say(this.#decoder.decode())
  }

  #say(text: string): void {
    if (text !== "") this.#onOutput?.(text.replaceAll("\0", "\\x00"))
  }
}
