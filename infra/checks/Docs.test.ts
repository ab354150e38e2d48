/** What the documents name must be there: files, headings, tests, variables, metrics. */
import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Completions from "effect/cli/Completions"
import { describe, expect, it } from "vitest"
import { troupe } from "../cli/Commands.ts"

const root = join(import.meta.dirname, "../..")
const read = (path: string) => readFileSync(join(root, path), "utf8")
const documents = globSync(["*.md", "{docs,runtime,actors,integrations,admin,infra}/**/*.md"], { cwd: root })

const withoutCode = (text: string) => text.replace(/^```[^]*?^```$/gm, "")

/** Names of headings as GitHub links to them. */
const anchors = (text: string) =>
  [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  )

/** A link's target that is not there. */
const brokenLinks = (document: string) =>
  [...withoutCode(read(document)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path, anchor] = target.split("#") as [string, string | undefined]
      const file = path === "" ? document : join(dirname(document), path)
      if (!existsSync(join(root, file))) return true
      return anchor !== undefined && !anchors(read(file)).includes(anchor)
    })

/** A name in backticks that begins with one of our folders: a file, a folder, or a test without its ending. */
const missingPaths = (document: string) =>
  [
    ...withoutCode(read(document)).matchAll(
      /`((?:runtime|actors|integrations|admin|infra|docs)\/[\w./-]*[\w/])`/g,
    ),
  ]
    .map(([, path]) => path!)
    .filter(
      (path) =>
        !["", ".ts", ".test.ts", ".integration.test.ts"].some((end) => existsSync(join(root, path + end))),
    )

it("finds what is wrong with a document", () => {
  expect(anchors("# What is on the bus\n```\n# not this\n```\n## P3 `x`, said: once")).toEqual([
    "what-is-on-the-bus",
    "p3-x-said-once",
  ])
})

describe.each(documents)("%s", (document) => {
  it("links to what is there", () => expect(brokenLinks(document)).toEqual([]))
  it("names files that are there", () => expect(missingPaths(document)).toEqual([]))
})

it("names commands and scripts that there are", () => {
  const commands = Completions.fromCommand(troupe).subcommands.map((c) => c.name)
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> }
  let seen = 0
  for (const document of documents.filter((d) => !d.startsWith("docs/decisions/") && d !== "CHANGELOG.md")) {
    for (const [, name] of read(document).matchAll(
      /(?:npx|`|exec(?: -T)? troupe|'|\$\() ?troupe ([a-z]+)\b/g,
    )) {
      expect(commands, document).toContain(name)
      seen += 1
    }
    for (const [, name] of read(document).matchAll(/npm run (?:-s )?([\w:-]+)/g))
      expect(Object.keys(scripts), document).toContain(name)
  }
  expect(seen).toBeGreaterThan(20)
})

it("the README lists the variables that are read, and no others", () => {
  const table = read("README.md").split("| variable")[1]!.split("\n\n")[0]!
  const listed = table
    .split("\n")
    .flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name!))
  const used = [...read("runtime/config/Settings.ts").matchAll(/(?:read|optional|secret)\("([A-Z_]+)"/g)].map(
    ([, name]) => name!,
  )
  expect(listed.toSorted()).toEqual(used.toSorted())
})

it("the operator is told of every metric", () => {
  const shown = [...read("infra/Metrics.ts").matchAll(/"(troupe_\w+)"/g)].map(([, name]) => name!)
  const told = [...read("docs/operations.md").matchAll(/`(troupe_\w+)`/g)].map(([, name]) => name!)
  expect(told.toSorted()).toEqual(shown.toSorted())
})

it("every promise names tests that are there", () => {
  const text = read("docs/semantics.md")
  const folders = new Map(
    [...text.matchAll(/^\| (`.*`) +\| `([\w/]+)` +\|$/gm)].flatMap(([, names, folder]) =>
      [...names!.matchAll(/`([\w.]+)`/g)].map(([, name]) => [name!, folder!] as const),
    ),
  )
  const sections = text.split(/^### (?=P\d+ )/m).slice(1)
  expect(sections.map((s) => s.split(" ")[0])).toEqual(Array.from({ length: 13 }, (_, i) => `P${i + 1}`))
  for (const section of sections) {
    const proof = /^_Tests:_(.*)$/m.exec(section)?.[1] ?? ""
    const names = [...proof.matchAll(/`([A-Za-z.]+)`/g)].map(([, name]) => name!)
    expect(names, section.split("\n")[0]).not.toEqual([])
    for (const name of names) {
      const test = join(root, folders.get(name) ?? "nowhere", name)
      expect(existsSync(`${test}.test.ts`) || existsSync(`${test}.integration.test.ts`), name).toBe(true)
    }
  }
})
