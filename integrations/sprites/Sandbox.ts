/**
 * The port to sandbox computers: what @fly/sprites offers, behind our own type. A machine is a persistent home with
 * processes; its name is deterministic, so that `open` is get-or-create. Two servers speak to the one adapter: Fly's
 * and the local Sprites server.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

export class SandboxError extends Schema.TaggedError<SandboxError>()("SandboxError", {
  /** `missing`: no such file, session or machine. `lost`: the connection broke and the outcome is unknown. */
  kind: Schema.Literals(["unavailable", "refused", "missing", "lost", "limit", "invalid"]),
  retry: Schema.Literals(["later", "never"]),
  message: Schema.String,
  cause: Schema.Defect(),
}) {}

export interface Entry {
  readonly name: string
  readonly path: string
  readonly type: "file" | "directory" | "symlink"
  readonly size: number
  readonly mode: number
}

export interface SessionInfo {
  readonly id: string
  readonly command: string
}

export interface Checkpoint {
  readonly id: string
  readonly at: Date
  readonly comment: string
}

/** A host by name, `*.example.com` for all below it, or `*`; the most exact rule wins, and what no rule allows is denied. */
export interface NetworkRule {
  readonly domain: string
  readonly action: "allow" | "deny"
}

export type StreamName = "stdout" | "stderr"

/** A process that lives on when we detach. `output` is delivered in order per stream; bytes are never cut up into text here. */
export interface Session {
  readonly id: string
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, SandboxError>
  /** Completes with the exit code, or fails with `lost` when the connection broke first. */
  readonly exit: Effect.Effect<number, SandboxError>
  readonly kill: (signal: "TERM" | "KILL" | "INT") => Effect.Effect<void, SandboxError>
}

export interface SpawnOptions {
  readonly argv: ReadonlyArray<string>
  readonly cwd?: string
  /** Replaces the default environment. */
  readonly env?: Readonly<Record<string, string>>
  /** The process goes on after we leave, for ever. */
  readonly detachable: boolean
  readonly onOutput: (stream: StreamName, chunk: Uint8Array) => void
}

export interface Machine {
  readonly name: string
  /** True when this `open` created it: whatever was on an earlier machine is gone. */
  readonly fresh: boolean
  /** Starts a process; the scope only detaches from it. Resolves when it can take input. */
  readonly spawn: (options: SpawnOptions) => Effect.Effect<Session, SandboxError, Scope.Scope>
  /** Attaches to a running session; the server first replays what it kept of its output. */
  readonly attach: (
    id: string,
    onOutput: (stream: StreamName, chunk: Uint8Array) => void,
  ) => Effect.Effect<Session, SandboxError, Scope.Scope>
  readonly sessions: Effect.Effect<ReadonlyArray<SessionInfo>, SandboxError>
  readonly killSession: (id: string, signal: "TERM" | "KILL" | "INT") => Effect.Effect<void, SandboxError>
  readonly readFile: (path: string) => Effect.Effect<Uint8Array, SandboxError>
  readonly writeFile: (path: string, bytes: Uint8Array) => Effect.Effect<void, SandboxError>
  readonly list: (path: string) => Effect.Effect<ReadonlyArray<Entry>, SandboxError>
  readonly remove: (path: string) => Effect.Effect<void, SandboxError>
  /** Keeps all files as they are now, while processes run; gives its id. */
  readonly checkpoint: (comment: string) => Effect.Effect<string, SandboxError>
  /** The newest first. */
  readonly checkpoints: Effect.Effect<ReadonlyArray<Checkpoint>, SandboxError>
  /** Puts all files back and ends every session. */
  readonly restore: (id: string) => Effect.Effect<void, SandboxError>
  readonly network: Effect.Effect<ReadonlyArray<NetworkRule>, SandboxError>
  /** Replaces all rules; connections that they no longer allow are cut. */
  readonly setNetwork: (rules: ReadonlyArray<NetworkRule>) => Effect.Effect<void, SandboxError>
}

export class Sandbox extends Context.Service<
  Sandbox,
  {
    /** Get or create the machine called `name` (lower-case letters, digits and dashes, at most 63). */
    readonly open: (name: string) => Effect.Effect<Machine, SandboxError>
    /** Names of the machines that start with `prefix`. */
    readonly names: (prefix: string) => Effect.Effect<ReadonlyArray<string>, SandboxError>
    readonly destroy: (name: string) => Effect.Effect<void, SandboxError>
  }
>()("troupe/sprites/Sandbox") {}
