/** Decides at start how commands are kept apart, by running one; a promise is made only of what was seen to work. */
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { filter } from "./Filter.ts"
import { type Box, type Isolation, type Tools } from "./Isolation.ts"
import type { Limits } from "./Limits.ts"
import type { Pipes } from "./Pipes.ts"
import { start } from "./Process.ts"
import { makeDirectories } from "./SpriteStore.ts"
import { defaultPath } from "./Wire.ts"

const probeUid = 1_899_999_999

/** `directory`: an empty place for the probe; `unsafe`: the operator's leave to run without isolation. */
export const probe = async (
  directory: string,
  home: string,
  unsafe: boolean,
  tools: Tools,
  limits: Limits,
  pipes: Pipes,
): Promise<Isolation> => {
  const isRoot = process.getuid?.() === 0
  const reason = await missing(directory, tools, isRoot, limits, pipes)
  if (typeof reason !== "string") return reason
  if (!unsafe) {
    return {
      _tag: "Refused",
      reason:
        `Commands cannot run here: ${reason} Install bubblewrap (apt-get install bubblewrap), set SPRITES_TOKEN to use ` +
        "Fly Sprites, or set TROUPE_UNSAFE_LOCAL_EXEC=1 to run commands without isolation.",
    }
  }
  const closed = isRoot ? closedTo(home) : undefined
  if (closed !== undefined) {
    return {
      _tag: "Refused",
      reason: `Commands cannot run here: other users may not enter ${closed}. Move TROUPE_HOME, or run \`chmod o+x ${closed}\`.`,
    }
  }
  return { _tag: "Unsafe", tools }
}

/** The isolation that works, or one sentence on why none does. */
const missing = async (
  directory: string,
  tools: Tools,
  isRoot: boolean,
  limits: Limits,
  pipes: Pipes,
): Promise<Isolation | string> => {
  if (tools.bwrap === undefined) return "bubblewrap is not installed."
  if (tools.prlimit === undefined) return "the program `prlimit` (package util-linux) is missing."
  if (isRoot && tools.setpriv === undefined) return "the program `setpriv` (package util-linux) is missing."
  const uid = isRoot ? probeUid : undefined
  const at = (name: string) => join(directory, name)
  const box: Box = {
    name: "probe",
    uid,
    directories: { home: at("home"), tmp: at("tmp"), etc: at("etc") },
    network: undefined,
  }
  makeDirectories(box.directories, uid)
  // Old versions of bubblewrap cannot forbid user namespaces inside; as root there is nothing to forbid them with.
  const nested: ReadonlyArray<boolean> = isRoot ? [true] : [false, true]
  let said = ""
  for (const filter of filters(at("filter"))) {
    for (const nestedUserNamespaces of nested) {
      const isolation: Isolation = { _tag: "Bubblewrap", tools, nestedUserNamespaces, filter }
      const result = await run(isolation, box, limits, pipes)
      if (result === undefined) return isolation
      said = result
    }
  }
  return `bubblewrap does not work on this machine (${said}).`
}

/** With a filter of system calls if it can be had. */
const filters = (file: string): ReadonlyArray<string | undefined> => {
  const program = filter(process.arch)
  if (program === undefined) return [undefined]
  fs.writeFileSync(file, program, { mode: 0o600 })
  return [file, undefined]
}

const run = (isolation: Isolation, box: Box, limits: Limits, pipes: Pipes): Promise<string | undefined> => {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  let said = ""
  const command = {
    argv: ["true"],
    env: { PATH: defaultPath },
    directory: "/home/sprite",
    terminal: undefined,
  }
  start(
    { isolation, box, limits, pipes, command, input: false },
    {
      output: (_, bytes) => (said += bytes.toString("utf8")),
      ended: (code) =>
        resolve(code === 0 ? undefined : (said.trim().split("\n")[0] ?? "") || `it ended with ${code}`),
    },
  )
  return promise
}

/** The first directory on the way to `path` that other users may not enter. */
const closedTo = (path: string): string | undefined => {
  const above = dirname(path) === path ? undefined : closedTo(dirname(path))
  if (above !== undefined) return above
  return (fs.statSync(path).mode & 0o001) === 0 ? path : undefined
}
