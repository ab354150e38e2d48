/**
 * The one bridge to the program `git`: one run, with nothing of our environment, no configuration but ours, no hooks, and no
 * protocol but HTTPS and files. What it prints is kept up to a limit; then it is stopped and the answer is cut.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { spawn } from "node:child_process"

export class GitError extends Schema.TaggedError<GitError>()("GitError", {
  command: Schema.String,
  /** Null when it could not be started or took too long. */
  code: Schema.NullOr(Schema.Int),
  message: Schema.String,
}) {}

export interface GitOptions {
  /** Where programs are looked for. */
  readonly path: string
  /** The repository; absent: none. */
  readonly directory?: string
  /** Sent with each HTTP request to `to` and nowhere else; never in an argument or a file. */
  readonly authorization?: { readonly to: string; readonly value: string }
  readonly maxBytes?: number
  readonly timeoutMs?: number
}

export interface GitOutput {
  readonly text: string
  readonly cut: boolean
}

const fixed = [
  ["core.hooksPath", "/dev/null"],
  ["protocol.allow", "never"],
  ["protocol.https.allow", "always"],
  ["protocol.http.allow", "always"],
  ["protocol.file.allow", "always"],
  ["credential.helper", ""],
  ["http.followRedirects", "false"],
  ["fetch.fsckObjects", "true"],
  ["gc.auto", "0"],
  ["core.quotePath", "false"],
] as const

const environment = ({ path, authorization }: GitOptions): Record<string, string> => {
  const config: ReadonlyArray<readonly [string, string]> =
    authorization === undefined
      ? fixed
      : [...fixed, [`http.${authorization.to}/.extraHeader`, `Authorization: ${authorization.value}`]]
  return {
    PATH: path,
    HOME: "/nonexistent",
    LC_ALL: "C.UTF-8",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(
      config.flatMap(([key, value], i) => [
        [`GIT_CONFIG_KEY_${i}`, key],
        [`GIT_CONFIG_VALUE_${i}`, value],
      ]),
    ),
  }
}

export const git = (args: ReadonlyArray<string>, options: GitOptions): Effect.Effect<GitOutput, GitError> => {
  const { directory, maxBytes = 8 * 1024 * 1024, timeoutMs = 300_000 } = options
  const command = `git ${args[0] ?? ""}`
  return Effect.callback<GitOutput, GitError>((resume) => {
    const child = spawn("git", [...(directory === undefined ? [] : ["--git-dir", directory]), ...args], {
      env: environment(options),
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    })
    const out: Array<Buffer> = []
    const errors: Array<Buffer> = []
    let [size, cut] = [0, false]
    child.stdout.on("data", (chunk: Buffer) => {
      if (cut) return
      out.push(chunk.subarray(0, maxBytes - size))
      size += chunk.length
      if (size <= maxBytes) return
      cut = true
      child.kill("SIGKILL")
    })
    child.stderr.on("data", (chunk: Buffer) => {
      if (errors.length < 50) errors.push(chunk)
    })
    const failed = (code: number | null, message: string) =>
      resume(Effect.fail(new GitError({ command, code, message: message.trim().slice(0, 2_000) })))
    child.once("error", (error) => failed(null, error.message))
    child.once("close", (code) => {
      if (code === 0 || cut) return resume(Effect.succeed({ text: Buffer.concat(out).toString("utf8"), cut }))
      failed(code, Buffer.concat(errors).toString("utf8") || "it took too long and was stopped")
    })
    return Effect.sync(() => void child.kill("SIGKILL"))
  })
}
