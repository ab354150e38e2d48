/**
 * The git gateway. Each repository has a bare copy on the runtime's side, the only place where git meets a credential: a
 * sandbox gets a bundle (a file with commits in it) and gives one back, over the sandbox's own file port, so that it needs
 * neither network nor token. What comes back is checked here, object by object, and only the one branch that was granted is
 * pushed, forward only, without a change to a workflow file.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Permissions } from "./AppAuth.ts"
import { git, type GitError, type GitOutput } from "./Git.ts"
import type { GithubApi } from "./GithubApi.ts"
import type { GithubError } from "./GithubError.ts"
import type { Repository } from "./Repositories.ts"

/** Said to the agent as it is. */
export class GitRefused extends Schema.TaggedError<GitRefused>()("GitRefused", { message: Schema.String }) {}

type Failure = GitError | GithubError | GitRefused

export interface Mirrors {
  /** Brings the copy up to date; with the head of a pull request where one is named. */
  readonly refresh: (repository: Repository, pull?: number) => Effect.Effect<void, Failure>
  /** Runs a reading command in the copy. */
  readonly read: (
    repository: Repository,
    args: ReadonlyArray<string>,
    maxBytes: number,
  ) => Effect.Effect<GitOutput, Failure>
  readonly shaOf: (repository: Repository, ref: string) => Effect.Effect<string | undefined>
  /** All commits that these refs lead to, as one file. */
  readonly bundle: (repository: Repository, refs: ReadonlyArray<string>) => Effect.Effect<Uint8Array, Failure>
  /** The commits of a bundle to one branch. The pushed commit. */
  readonly push: (
    repository: Repository,
    branch: string,
    base: string,
    bundle: Uint8Array,
  ) => Effect.Effect<string, Failure>
}

export interface MirrorOptions {
  /** A directory of its own. */
  readonly directory: string
  /** Where `git` is looked for. */
  readonly path: string
}

const mostBundle = 200 * 1024 * 1024
/** What was fetched so recently is new enough to be read. */
const freshMs = 5_000
const workflows = ".github/workflows"

export const makeMirrors = (api: GithubApi, options: MirrorOptions): Mirrors => {
  const locks = new Map<number, Semaphore.Semaphore>()
  const fetched = new Map<string, number>()
  let serial = 0
  const directoryOf = ({ id }: Repository) => join(options.directory, `${id}.git`)
  const urlOf = ({ fullName }: Repository) => `${api.gitRoot}/${fullName}.git`

  const alone = <A, E>(repository: Repository, effect: Effect.Effect<A, E>): Effect.Effect<A, E> => {
    const lock = locks.get(repository.id) ?? Semaphore.makeUnsafe(1)
    locks.set(repository.id, lock)
    return lock.withPermits(1)(effect)
  }
  const here = (repository: Repository, args: ReadonlyArray<string>, maxBytes?: number) =>
    git(args, {
      path: options.path,
      directory: directoryOf(repository),
      ...(maxBytes === undefined ? {} : { maxBytes }),
    })
  /** With a credential for this repository only, sent to GitHub only. */
  const remote = (repository: Repository, permissions: Permissions, args: ReadonlyArray<string>) => {
    const withToken = (token: Redacted.Redacted) =>
      git(args, {
        path: options.path,
        directory: directoryOf(repository),
        authorization: {
          to: api.gitRoot,
          value: `Basic ${Buffer.from(`x-access-token:${Redacted.value(token)}`).toString("base64")}`,
        },
      })
    return Effect.flatMap(api.token(repository, permissions), (token) =>
      Effect.catchIf(withToken(token), isUnknown, () =>
        Effect.flatMap(api.token(repository, permissions, token), withToken),
      ),
    )
  }
  const onDisk = <A>(act: () => Promise<A>): Effect.Effect<A> => Effect.promise(act)

  const opened = Effect.fnUntraced(function* (repository: Repository) {
    const directory = directoryOf(repository)
    const there = yield* onDisk(() =>
      stat(join(directory, "HEAD")).then(
        () => true,
        () => false,
      ),
    )
    if (there) return
    yield* onDisk(() => mkdir(directory, { recursive: true, mode: 0o700 }))
    yield* git(["init", "-q", "--bare", directory], { path: options.path })
  })

  const bringUp = Effect.fnUntraced(function* (
    repository: Repository,
    pull: number | undefined,
    anyhow: boolean,
  ) {
    const key = `${repository.id}/${pull ?? ""}`
    const now = api.clocks.steady()
    if (!anyhow && (fetched.get(key) ?? -Infinity) > now - freshMs) return
    yield* opened(repository)
    yield* remote(repository, { contents: "read" }, [
      "fetch",
      "-q",
      "--no-tags",
      "--prune",
      "--no-write-fetch-head",
      urlOf(repository),
      "+refs/heads/*:refs/heads/*",
      ...(pull === undefined ? [] : [`+refs/pull/${pull}/head:refs/pull/${pull}/head`]),
    ])
    fetched.set(key, now)
  })

  const shaOf: Mirrors["shaOf"] = (repository, ref) =>
    here(repository, ["rev-parse", "--verify", "-q", `${ref}^{commit}`]).pipe(
      Effect.map(({ text }) => text.trim() as string | undefined),
      Effect.catch(() => Effect.succeed(undefined)),
    )

  const bundle: Mirrors["bundle"] = Effect.fnUntraced(function* (repository, refs) {
    const file = join(options.directory, `out-${++serial}.bundle`)
    const made = Effect.gen(function* () {
      yield* here(repository, ["bundle", "create", "-q", file, ...refs])
      const { size } = yield* onDisk(() => stat(file))
      if (size > mostBundle)
        return yield* new GitRefused({
          message: `${repository.fullName} has more than ${mostBundle / 1024 / 1024} MiB of history, which is too much for a sandbox. Read it with github_file and github_search.`,
        })
      return new Uint8Array(yield* onDisk(() => readFile(file)))
    })
    return yield* Effect.ensuring(
      made,
      onDisk(() => rm(file, { force: true })),
    )
  })

  const push: Mirrors["push"] = Effect.fnUntraced(function* (repository, branch, base, given) {
    if (given.length > mostBundle)
      return yield* new GitRefused({
        message: "The commits are too big to be pushed: leave out large files.",
      })
    const file = join(options.directory, `in-${++serial}.bundle`)
    const incoming = `refs/incoming/${serial}`
    const work = Effect.gen(function* () {
      yield* onDisk(() => writeFile(file, given, { mode: 0o600 }))
      yield* here(repository, [
        "fetch",
        "-q",
        "--no-tags",
        "--no-write-fetch-head",
        file,
        `+HEAD:${incoming}`,
      ])
      const sha = yield* shaOf(repository, incoming)
      if (sha === undefined) return yield* new GitRefused({ message: "There are no commits in what came." })
      yield* sameWorkflows(repository, base, sha)
      yield* send(repository, branch, sha)
      yield* here(repository, ["update-ref", `refs/heads/${branch}`, sha])
      return sha
    })
    return yield* work.pipe(
      Effect.catchIf(
        (e): e is GitError =>
          e._tag === "GitError" && /non-fast-forward|fetch first|rejected/.test(e.message),
        () =>
          Effect.fail(
            new GitRefused({
              message: `The branch ${branch} has commits that yours does not build on. Call github_clone again, rebase on origin/${branch}, push again.`,
            }),
          ),
      ),
      Effect.ensuring(
        Effect.andThen(
          onDisk(() => rm(file, { force: true })),
          Effect.ignore(here(repository, ["update-ref", "-d", incoming])),
        ),
      ),
    )
  })

  /** What was taken while the answer was lost is not pushed again: the branch itself tells (P8). */
  const send = (repository: Repository, branch: string, sha: string) => {
    const to = `refs/heads/${branch}`
    const once = remote(repository, { contents: "write" }, ["push", "-q", urlOf(repository), `${sha}:${to}`])
    const there = remote(repository, { contents: "read" }, ["ls-remote", urlOf(repository), to]).pipe(
      Effect.map(({ text }) => text.startsWith(`${sha}\t`)),
      Effect.catch(() => Effect.succeed(false)),
    )
    const unlessThere = (e: Failure) =>
      Effect.flatMap(there, (taken) => (taken ? Effect.void : Effect.fail(e)))
    return Effect.catch(once, unlessThere).pipe(Effect.retry({ times: 2, while: isTorn }))
  }

  /** Workflow files run with the repository's secrets: they are those of the base, whatever an agent was talked into. */
  const sameWorkflows = Effect.fnUntraced(function* (repository: Repository, base: string, sha: string) {
    const from = yield* here(repository, ["merge-base", `refs/heads/${base}`, sha])
    const changed = yield* here(repository, [
      "diff",
      "--name-only",
      "--no-renames",
      from.text.trim(),
      sha,
      "--",
      workflows,
    ])
    if (changed.text.trim() === "") return
    return yield* new GitRefused({
      message: `Nothing was pushed: workflow files are never edited by agents (${changed.text.trim().split("\n").join(", ")}). Put them back as they were, and tell people what to change there.`,
    })
  })

  return {
    refresh: (repository, pull) => alone(repository, bringUp(repository, pull, false)),
    read: (repository, args, maxBytes) => here(repository, args, maxBytes),
    shaOf,
    bundle: (repository, refs) => bundle(repository, refs),
    push: (repository, branch, base, given) =>
      alone(
        repository,
        Effect.andThen(bringUp(repository, undefined, true), push(repository, branch, base, given)),
      ),
  }
}

/** The connection broke. */
const isTorn = (e: Failure): boolean =>
  e._tag === "GitError" &&
  /hung up|unexpected disconnect|early EOF|RPC failed|reset by peer|empty reply|Could not resolve|timed out/i.test(
    e.message,
  )

/** GitHub does not take the token any more. */
const isUnknown = (e: GitError): boolean =>
  /Authentication failed|could not read Username|The requested URL returned error: 401/.test(e.message)
