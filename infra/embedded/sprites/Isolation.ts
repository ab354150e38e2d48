/**
 * How a command is kept apart from the host. `detect` decides once, at start, by running a real command: under
 * bubblewrap; or, only if the operator asked for it, as an ordinary process (`Unsafe`); else not at all (`Refused`).
 * A plan is what to start: the launcher's arguments and environment are free of anything that a client sent, except
 * the command itself; the client's environment reaches bwrap through a pipe, so that neither LD_PRELOAD nor a secret
 * of it touches anything outside the sandbox.
 */
import * as fs from "node:fs"
import { delimiter, join, posix } from "node:path"
import { bubblewrapArguments } from "./Bubblewrap.ts"
import type { Limits } from "./Limits.ts"
import { enter as entering, type Network } from "./network/Networks.ts"
import type { Directories } from "./SpriteStore.ts"
import { defaultPath, home } from "./Wire.ts"

export type Isolation =
  | {
      readonly _tag: "Bubblewrap"
      readonly tools: Tools
      readonly nestedUserNamespaces: boolean
      /** A file with the filter of system calls; undefined where there is none. */
      readonly filter: string | undefined
    }
  | { readonly _tag: "Unsafe"; readonly tools: Tools }
  | { readonly _tag: "Refused"; readonly reason: string }

/** Programs of the host, by absolute path; undefined where the host lacks one. */
export interface Tools {
  readonly bwrap: string | undefined
  readonly prlimit: string | undefined
  readonly setpriv: string | undefined
  readonly nsenter: string | undefined
  readonly script: string | undefined
  readonly stty: string | undefined
}

export interface Box {
  readonly name: string
  readonly uid: number | undefined
  readonly directories: Directories
  /** Of the sprite; undefined gives each command one of its own. */
  readonly network: Network | undefined
}

export interface Mount {
  readonly from: string
  readonly to: string
  readonly writable: boolean
}

export interface Command {
  readonly argv: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  readonly directory: string
  readonly terminal: { readonly rows: number; readonly cols: number } | undefined
  readonly mounts?: ReadonlyArray<Mount>
}

export interface Plan {
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  readonly uid: number | undefined
  /** Written to descriptor 3, or undefined where the launcher reads none. */
  readonly options: Buffer | undefined
  /** A file to be open as descriptor 6. */
  readonly filter: string | undefined
}

export const findTools = (bwrap?: string): Tools => {
  const find = (name: string, directories: ReadonlyArray<string>) =>
    directories
      .filter((directory) => directory.startsWith("/"))
      .map((directory) => join(directory, name))
      .find((file) => fs.existsSync(file))
  // What runs inside must lie where the sandbox can see it.
  const inside = defaultPath.split(":")
  const outside = [...(process.env["PATH"] ?? "").split(delimiter), ...inside]
  return {
    bwrap: bwrap ?? find("bwrap", outside),
    prlimit: find("prlimit", inside),
    setpriv: find("setpriv", inside),
    nsenter: find("nsenter", outside),
    script: find("script", inside),
    stty: find("stty", outside),
  }
}

export const plan = (
  isolation: Exclude<Isolation, { _tag: "Refused" }>,
  box: Box,
  command: Command,
  limits: Limits,
): Plan => {
  const { tools } = isolation
  const limited = tools.prlimit === undefined ? [] : [tools.prlimit, ...prlimitOptions(limits), "--"]
  if (isolation._tag === "Unsafe") {
    const env = { ...command.env, HOME: box.directories.home }
    const directory = unsafePath(box, command.directory)
    const tie = tools.setpriv === undefined ? [] : [tools.setpriv, "--pdeathsig", "KILL", "--"]
    const argv = [...limited, ...tie, ...entered(command, directory, tools)]
    return {
      file: argv[0] ?? "/bin/sh",
      args: argv.slice(1),
      env,
      uid: box.uid,
      options: undefined,
      filter: undefined,
    }
  }
  const drop =
    box.uid === undefined
      ? []
      : [tools.setpriv ?? "setpriv", "--reuid", `${box.uid}`, "--regid", `${box.uid}`, "--clear-groups",
          "--inh-caps=-all", "--bounding-set=-all", "--"] // prettier-ignore
  const options = [
    ...bubblewrapArguments(box, command, isolation.nestedUserNamespaces),
    ...(isolation.filter === undefined ? [] : ["--seccomp", "6"]),
  ]
  const [file = "bwrap", ...args] = [
    ...(box.network === undefined ? [] : entering(tools, box.network)),
    tools.bwrap ?? "bwrap",
    "--args", "3", "--info-fd", "4", "--",
    ...limited,
    ...drop,
    ...entered(command, command.directory, tools),
  ] // prettier-ignore
  return {
    file,
    args,
    env: {},
    uid: undefined,
    options: Buffer.from(`${options.join("\0")}\0`),
    filter: isolation.filter,
  }
}

/** Without a mount namespace /home/sprite is a name only; it stands for the real directory. */
export const unsafePath = (box: Box, path: string): string => {
  const absolute = posix.resolve(home, path)
  return absolute === home || absolute.startsWith(`${home}/`)
    ? `${box.directories.home}${absolute.slice(home.length)}`
    : absolute
}

const prlimitOptions = (limits: Limits): ReadonlyArray<string> => [
  `--nproc=${limits.processes}`,
  `--data=${limits.memoryBytes}`,
  `--fsize=${limits.fileBytes}`,
  `--nofile=${limits.openFiles}`,
  // For each process, in case its time escapes our own look at the whole.
  `--cpu=${limits.cpuSeconds + 5}`,
  "--core=0",
]

/** Told on descriptor 5 once the command stands in its own group, and its terminal has its size. */
const ready = "echo >&5; exec 5>&-"

/** First in line for the kernel when memory runs out, then the working directory. */
const enter =
  "{ echo 1000 > /proc/self/oom_score_adj; } 2>/dev/null\n" +
  'cd -- "$1" 2>/dev/null || { echo "The working directory $1 does not exist or may not be entered." >&2; exit 126; }\n' +
  "shift\n"

/** A shell's `exec` gives the exit codes that the wire asks for: 127 not found, 126 not executable. */
const entered = (command: Command, directory: string, tools: Tools): ReadonlyArray<string> => {
  const absolute = posix.resolve(home, directory)
  if (command.terminal === undefined) {
    return ["/bin/sh", "-c", `${enter}${ready}; exec "$@"`, "troupe", absolute, ...command.argv]
  }
  const { rows, cols } = command.terminal
  const shell =
    command.env["SHELL"] === undefined ? "unset SHELL" : `export SHELL=${quoted(command.env["SHELL"])}`
  const inTerminal = `${shell}; stty echo rows ${rows} cols ${cols}; ${ready}; exec ${command.argv.map(quoted).join(" ")}`
  const script = `${enter}SHELL=/bin/sh; export SHELL; exec ${quoted(tools.script ?? "script")} -qefc "$1" /dev/null`
  return ["/bin/sh", "-c", script, "troupe", absolute, inTerminal]
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
