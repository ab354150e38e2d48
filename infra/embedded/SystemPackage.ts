/**
 * Programs that come from the operating system: nats-server, bwrap. Missing and we are root on Debian or Ubuntu: installed
 * through apt-get, with one line that says so. Elsewhere: one sentence with the command to run.
 */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { accessSync, constants, readFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { EmbeddedError, reason } from "./EmbeddedError.ts"

export interface SystemProgram {
  /** The file in PATH. */
  readonly program: string
  /** The name of its package where it is not the program's own. */
  readonly packages: Partial<Readonly<Record<System, string>>>
  /** What to do instead of installing: the end of the sentence. */
  readonly otherwise: string
}

export type System = "debian" | "alpine" | "fedora" | "arch" | "macos" | "other"

export const natsServer: SystemProgram = {
  program: "nats-server",
  packages: {},
  otherwise: "or set NATS_URL to a NATS server with JetStream",
}

export const bubblewrap: SystemProgram = {
  program: "bwrap",
  packages: { debian: "bubblewrap", alpine: "bubblewrap", fedora: "bubblewrap", arch: "bubblewrap" },
  otherwise: "or set SPRITES_TOKEN to use Fly Sprites",
}

/** The path of the program, installed first when that is possible. */
export const systemProgram = Effect.fnUntraced(function* (wanted: SystemProgram) {
  const found = findProgram(wanted.program)
  if (found !== undefined) return found
  const system = thisSystem()
  if (system !== "debian" || process.getuid?.() !== 0) return yield* missing(wanted, system)
  const name = wanted.packages.debian ?? wanted.program
  yield* Effect.logInfo(`${wanted.program} is missing: installing the system package ${name} with apt-get.`)
  const install = ["install", "-y", "--no-install-recommends", name]
  yield* aptGet(install).pipe(
    Effect.catchTag("EmbeddedError", () => aptGet(["update"]).pipe(Effect.andThen(aptGet(install)))),
    Effect.catchTag("EmbeddedError", (error) => missing(wanted, system, error)),
  )
  return findProgram(wanted.program) ?? (yield* missing(wanted, system))
})

/** Which system this is, from the text of /etc/os-release. */
export const systemOf = (platform: NodeJS.Platform, osRelease: string): System => {
  if (platform === "darwin") return "macos"
  const ids = [...osRelease.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gm)].flatMap(([, words]) =>
    (words ?? "").split(" "),
  )
  const known = {
    debian: "debian",
    ubuntu: "debian",
    alpine: "alpine",
    fedora: "fedora",
    rhel: "fedora",
    arch: "arch",
  } as const
  for (const id of ids) if (id in known) return known[id as keyof typeof known]
  return "other"
}

/** The sentence for a person without the program. */
export const advice = (wanted: SystemProgram, system: System, isRoot: boolean): string => {
  const name = wanted.packages[system] ?? wanted.program
  const sudo = isRoot ? "" : "sudo "
  const commands: Readonly<Record<System, string | undefined>> = {
    debian: `${sudo}apt-get install -y ${name}`,
    alpine: `${sudo}apk add ${name}`,
    fedora: `${sudo}dnf install -y ${name}`,
    arch: `${sudo}pacman -S ${name}`,
    macos: wanted.program === "bwrap" ? undefined : `brew install ${name}`,
    other: undefined,
  }
  const command = commands[system]
  return command === undefined
    ? `${wanted.program} is missing and there is no package of it that we know for this system: install it, ${wanted.otherwise}.`
    : `${wanted.program} is missing: run "${command}", ${wanted.otherwise}.`
}

const missing = (wanted: SystemProgram, system: System, cause?: EmbeddedError) => {
  const tried = cause === undefined ? "" : ` Troupe tried, and ${cause.message}`
  const message = `${advice(wanted, system, process.getuid?.() === 0)}${tried}`
  return Effect.fail(new EmbeddedError({ part: "package", message, cause: cause ?? wanted.program }))
}

const aptGet = (args: ReadonlyArray<string>) =>
  Effect.callback<void, EmbeddedError>((resume) => {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
    const child = spawn("apt-get", args, { stdio: ["ignore", "ignore", "pipe"], env })
    let output = ""
    child.stderr.on("data", (part: Buffer) => (output = (output + part.toString()).slice(-2_000)))
    const fail = (cause: unknown) =>
      resume(
        Effect.fail(
          new EmbeddedError({
            part: "package",
            message: `apt-get failed: ${reason(cause).trim().split("\n").at(-1)}.`,
            cause,
          }),
        ),
      )
    child.once("error", fail)
    child.once("close", (code) => (code === 0 ? resume(Effect.void) : fail(output)))
  })

/** The program's file in PATH, or where systems keep servers that a user's PATH often lacks. */
export const findProgram = (program: string): string | undefined => {
  const places = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    "/usr/sbin",
    "/usr/local/sbin",
    "/opt/homebrew/bin",
  ]
  return places
    .filter((place) => place !== "")
    .map((place) => join(place, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

export const thisSystem = (): System => {
  try {
    return systemOf(process.platform, readFileSync("/etc/os-release", "utf8"))
  } catch {
    return systemOf(process.platform, "")
  }
}
