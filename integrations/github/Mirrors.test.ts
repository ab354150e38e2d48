/** The git gateway: what comes to a sandbox, and what may go back. */
import * as Effect from "effect/Effect"
import { it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createPrivateKey } from "node:crypto"
import { describe, expect } from "vitest"
import { makeGithubApi } from "./GithubApi.ts"
import { makeMirrors } from "./Mirrors.ts"
import { scene } from "./testRoom.ts"

const opened = Effect.fnUntraced(function* () {
  const s = yield* scene()
  s.gh.push(s.repo, s.eve, "main", { ".github/workflows/ci.yml": "on: push\n" })
  const api = yield* makeGithubApi({
    appId: String(s.app.id),
    key: createPrivateKey(s.app.privateKey),
    apiUrl: s.gh.apiUrl,
  })
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "mirrors-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
  )
  const path = process.env["PATH"] ?? ""
  const mirrors = makeMirrors(api, { directory: join(directory, "mirrors"), path })
  const repository = (yield* api.repositories.find(s.repo.id))!
  /** As in a sandbox: a copy from the bundle, without a remote. */
  const work = join(directory, "work")
  const git = (...args: ReadonlyArray<string>) =>
    execFileSync("git", ["-C", work, ...args], {
      env: { PATH: path, HOME: directory, GIT_CONFIG_NOSYSTEM: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    })
      .toString()
      .trim()
  const clone = Effect.gen(function* () {
    yield* mirrors.refresh(repository)
    const bytes = yield* mirrors.bundle(repository, ["refs/heads/main"])
    const file = join(directory, "in.bundle")
    writeFileSync(file, bytes)
    execFileSync("git", ["init", "-q", "-b", "work", work])
    git("config", "user.name", "Ada")
    git("config", "user.email", "ada@example.com")
    git("fetch", "-q", file, "+refs/heads/*:refs/remotes/origin/*")
    git("checkout", "-q", "--no-track", "-B", "work", "origin/main")
  })
  const commit = (files: Readonly<Record<string, string>>) => {
    for (const [name, content] of Object.entries(files)) {
      execFileSync("mkdir", ["-p", join(work, name, "..")])
      writeFileSync(join(work, name), content)
    }
    git("add", "-A")
    git("commit", "-q", "-m", "Change")
    return git("rev-parse", "HEAD")
  }
  const out = () => {
    const file = join(directory, "out.bundle")
    git("bundle", "create", "-q", file, "HEAD", "--not", "refs/remotes/origin/main")
    return new Uint8Array(readFileSync(file))
  }
  return { ...s, api, mirrors, repository, clone, commit, out, git, directory }
})

const live = (
  name: string,
  body: (s: Effect.Success<ReturnType<typeof opened>>) => Effect.Effect<unknown, unknown>,
) => it.live(name, () => Effect.scoped(Effect.flatMap(opened(), body)))

describe("the git gateway", () => {
  live("brings commits to a sandbox and back to one branch, forward only, and again without harm", (s) =>
    Effect.gen(function* () {
      yield* s.clone
      const sha = s.commit({ "main.js": "1\n" })
      const bytes = s.out()
      expect(yield* s.mirrors.push(s.repository, "troupe/ada/1", "main", bytes)).toBe(sha)
      expect(yield* s.mirrors.push(s.repository, "troupe/ada/1", "main", bytes)).toBe(sha)
      expect([...s.gh.branches(s.repo)]).toContainEqual(["troupe/ada/1", sha])
      s.gh.push(s.repo, s.eve, "troupe/ada/1", { "other.js": "2\n" })
      s.commit({ "main.js": "3\n" })
      const refused = yield* Effect.flip(s.mirrors.push(s.repository, "troupe/ada/1", "main", s.out()))
      expect(refused.message).toContain("rebase on origin/troupe/ada/1")
    }),
  )

  live("pushes nothing that touches a workflow file, however it is touched", (s) =>
    Effect.gen(function* () {
      yield* s.clone
      const changes: ReadonlyArray<() => unknown> = [
        () => s.commit({ ".github/workflows/ci.yml": "on: [push, pull_request_target]\n" }),
        () => s.commit({ ".github/workflows/new.yml": "on: push\n" }),
        () => {
          s.git("rm", "-q", "-r", ".github/workflows")
          return s.commit({ "a.js": "1\n" })
        },
        () => {
          s.git("mv", ".github/workflows/ci.yml", "moved.yml")
          return s.commit({ "a.js": "2\n" })
        },
      ]
      for (const change of changes) {
        s.git("reset", "-q", "--hard", "origin/main")
        change()
        const refused = yield* Effect.flip(s.mirrors.push(s.repository, "troupe/ada/1", "main", s.out()))
        expect(refused.message).toContain("workflow files are never edited")
      }
      // What came into the base meanwhile is no change of the agent's.
      s.git("reset", "-q", "--hard", "origin/main")
      s.commit({ "a.js": "3\n" })
      s.gh.push(s.repo, s.eve, "main", { ".github/workflows/ci.yml": "on: [push]\n" })
      yield* s.mirrors.push(s.repository, "troupe/ada/1", "main", s.out())
      expect(s.gh.branches(s.repo).has("troupe/ada/1")).toBe(true)
    }),
  )

  live("knows that a push was taken when its answer was lost", (s) =>
    Effect.gen(function* () {
      yield* s.clone
      const sha = s.commit({ "main.js": "1\n" })
      s.gh.fault("git receive-pack", { kind: "drop" })
      expect(yield* s.mirrors.push(s.repository, "troupe/ada/1", "main", s.out())).toBe(sha)
      expect(s.gh.branches(s.repo).get("troupe/ada/1")).toBe(sha)
    }),
  )

  live("what is no bundle, or is broken, changes nothing", (s) =>
    Effect.gen(function* () {
      yield* s.clone
      s.commit({ "main.js": "1\n" })
      const broken = s.out()
      broken[broken.length - 30]! ^= 255
      for (const bytes of [new Uint8Array(0), new TextEncoder().encode("-----"), broken])
        yield* Effect.flip(s.mirrors.push(s.repository, "troupe/ada/1", "main", bytes))
      expect(s.gh.branches(s.repo).has("troupe/ada/1")).toBe(false)
    }),
  )

  live("keeps the credential out of the copy, its configuration and what a sandbox gets", (s) =>
    Effect.gen(function* () {
      yield* s.clone
      s.commit({ "main.js": "1\n" })
      yield* s.mirrors.push(s.repository, "troupe/ada/1", "main", s.out())
      const found = execFileSync("sh", ["-c", `grep -rl ghs_ "${s.directory}" || true`]).toString()
      expect(found).toBe("")
      expect(s.git("remote")).toBe("")
    }),
  )

  live("reads a diff of 20 MB up to a limit", (s) =>
    Effect.gen(function* () {
      s.gh.push(s.repo, s.eve, "big", { "big.txt": "a line of words\n".repeat(1_300_000) })
      yield* s.mirrors.refresh(s.repository)
      const range = "refs/heads/main...refs/heads/big"
      const stat = yield* s.mirrors.read(s.repository, ["diff", "--stat", range], 10_000)
      expect(stat.text).toContain("big.txt")
      const diff = yield* s.mirrors.read(s.repository, ["diff", range], 1024 * 1024)
      expect(diff).toMatchObject({ cut: true })
      expect(diff.text.length).toBe(1024 * 1024)
    }),
  )
})
