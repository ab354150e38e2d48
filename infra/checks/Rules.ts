/**
 * The rules of docs/semantics.md ("Folders") and AGENTS.md as one pure function from a source file to its breaches. Paths are
 * relative to the repository, with slashes. Each breach says what to do instead.
 */
import { posix } from "node:path"
import { lineAt, type Source } from "./Source.ts"

export interface Breach {
  readonly path: string
  readonly line: number
  readonly message: string
}

/** Files that only tests, benchmarks and the demo load. They may use any folder, the clock and the environment. */
export const isTest = (path: string): boolean =>
  testName.test(path) || /^infra\/(?:bench|demo)\/|\/(?:testing|e2e)\//.test(path)
const testName =
  /(?:\.test|\.contract|\.suite|\.arbitrary|\/[A-Za-z]*Suite|\/[A-Za-z]*Test|\/test[A-Z]\w*|\/testing)\.ts$/

/** Which folders the product code of a folder may import, itself included. */
const mayImport: Readonly<Record<string, ReadonlyArray<string>>> = {
  runtime: ["runtime"],
  integrations: ["integrations", "runtime"],
  actors: ["actors", "integrations", "runtime"],
  admin: ["admin", "actors", "integrations", "runtime"],
  infra: ["infra", "admin", "actors", "integrations", "runtime"],
}

interface Home {
  readonly packages: RegExp
  readonly name: string
  /** Folders in which the package may be imported. */
  readonly folders: ReadonlyArray<string>
  readonly instead: string
}

/** Each vendor's package has one home; everything else speaks to our own types. */
const homes: ReadonlyArray<Home> = [
  {
    packages: /^nact(?:\/|$)/,
    name: "nact",
    folders: ["runtime/actor/", "infra/bench/actors/"],
    instead: "use Actor from runtime/index.ts",
  },
  {
    packages: /^@nats-io\//,
    name: "@nats-io",
    folders: ["runtime/bus/", "infra/"],
    instead: "use Bus from runtime/index.ts",
  },
  {
    packages: /^(?:postgres|drizzle-orm|drizzle-kit)(?:\/|$)/,
    name: "postgres and drizzle",
    folders: ["runtime/store/", "infra/", "drizzle.config.ts"],
    instead: "put the statement into runtime/store/hot, or use Sql from runtime/index.ts",
  },
  {
    packages: /^(?:grammy|@grammyjs)(?:\/|$)/,
    name: "grammy",
    folders: ["integrations/telegram/", "infra/emulators/telegram/TelegramEmulator.test.ts"],
    instead: "use the door in integrations/telegram/index.ts",
  },
  {
    packages: /^@anthropic-ai\//,
    name: "@anthropic-ai/sdk",
    folders: ["integrations/anthropic/", "infra/bench/"],
    instead: "use Model from integrations/anthropic/index.ts",
  },
  {
    packages: /^@octokit\//,
    name: "@octokit",
    folders: ["integrations/github/", "infra/emulators/github/"],
    instead: "use the ports in integrations/github/index.ts",
  },
  {
    packages: /^@fly\/sprites(?:\/|$)/,
    name: "@fly/sprites",
    folders: ["integrations/sprites/"],
    instead: "use Sandbox from integrations/sprites/index.ts",
  },
]

interface Word {
  readonly pattern: RegExp
  readonly name: string
  readonly instead: string
}

const words: ReadonlyArray<Word> = [
  {
    pattern: /\bprocess\.env\b/g,
    name: "process.env",
    instead: "read it in runtime/config/Settings.ts",
  },
  {
    pattern: /\bDate\.now\(/g,
    name: "Date.now(",
    instead: "use Clock.currentTimeMillis, so that tests can drive the clock",
  },
  {
    pattern: /(?<!\.)\bset(?:Timeout|Interval)\(/g,
    name: "setTimeout(",
    instead: "use Effect.sleep, Schedule or an actor timer",
  },
  {
    pattern: /\bnew Promise\b\s*[<(]/g,
    name: "new Promise(",
    instead: "use Effect.callback or Deferred",
  },
]

export interface Bridge {
  /** A file, or a folder with its slash. */
  readonly path: string
  readonly words: ReadonlyArray<string>
  readonly why: string
}

/** Where the host's clock, environment and promises are met on purpose. */
export const bridges: ReadonlyArray<Bridge> = [
  {
    path: "runtime/actor/Timer.ts",
    words: ["setTimeout("],
    why: "the live clock of actor timers, behind a port that TestClock replaces",
  },
  {
    path: "runtime/actor/Handler.ts",
    words: ["new Promise("],
    why: "nact suspends a mailbox by the promise its handler returns",
  },
  { path: "runtime/actor/Actor.ts", words: ["new Promise("], why: "nact waits for supervision by a promise" },
  {
    path: "runtime/http/KeepAliveFetch.ts",
    words: ["new Promise("],
    why: "a fetch for vendors' clients answers with a promise",
  },
  {
    path: "runtime/http/ReadResponse.ts",
    words: ["new Promise("],
    why: "the answer of that fetch is read with promises",
  },
  {
    path: "admin/web/",
    words: ["setTimeout(", "Date.now("],
    why: "runs in the browser",
  },
]

export const breachesOf = (source: Source, allowed: ReadonlyArray<Bridge> = bridges): Array<Breach> => {
  const breaches: Array<Breach> = []
  const { path } = source
  const top = path.split("/")[0]!
  const add = (line: number, message: string) => breaches.push({ path, line, message })

  for (const { specifier, names, line } of source.imports) {
    if (specifier === "effect")
      add(line, `imports the "effect" barrel: import "effect/<Module>", which loads a part of it`)
    if (specifier === "node:process" && names.includes("env") && top !== "infra" && !isTest(path))
      add(line, "imports env from node:process: read it in runtime/config/Settings.ts")
    if (specifier.startsWith(".")) {
      const message = betweenFolders(path, posix.join(posix.dirname(path), specifier))
      if (message !== undefined) add(line, message)
      continue
    }
    for (const home of homes) {
      if (!home.packages.test(specifier) || home.folders.some((folder) => path.startsWith(folder))) continue
      if (isTest(path) && top === "infra") continue
      add(line, `imports ${specifier}; ${home.name} belongs in ${home.folders[0]}: ${home.instead}`)
    }
  }
  if (top === "infra" || isTest(path)) return breaches
  for (const { pattern, name, instead } of words) {
    if (allowed.some((b) => path.startsWith(b.path) && b.words.includes(name))) continue
    for (const match of source.code.matchAll(pattern))
      add(lineAt(source.code, match.index), `uses ${name} outside the bridges: ${instead}`)
  }
  return breaches
}

/** What is wrong with an import of `to` in `from`, both paths of the repository. */
const betweenFolders = (from: string, to: string): string | undefined => {
  const [top, part] = from.split("/") as [string, string]
  const [toTop, toPart, ...rest] = to.split("/") as [string, string | undefined, ...Array<string>]
  if (isTest(from) || mayImport[top] === undefined || mayImport[toTop] === undefined) return undefined
  if (toTop === "infra" && top !== "infra")
    return `imports ${to}: nobody imports infra but infra and tests; move what is shared into ${top} or runtime`
  if (!mayImport[top].includes(toTop))
    return `imports ${to}: ${top} may import ${mayImport[top].join(", ")} only; turn the dependency round with a port`
  if (isTest(to))
    return `imports ${to}, which is for tests: move what the product needs into a file of its own`
  if (top === "integrations" && toTop === "integrations" && part !== toPart)
    return `imports ${to}: vendors never import each other; let infra join them`
  if (top === "actors" && toTop === "integrations" && rest.join("/") !== "index.ts")
    return `imports ${to}: actors use integrations/${toPart}/index.ts only; add what is missing to that list`
  if (top !== "runtime" && top !== "infra" && toTop === "runtime" && to !== "runtime/index.ts")
    return `imports ${to}: use runtime/index.ts; add what is missing to that list`
  return undefined
}
