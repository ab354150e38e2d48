/** Reading on GitHub: for everybody who may read the repository. Code is read in the runtime's own copy. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readIssue, searchIssues, type Github, type Grant } from "../../../../integrations/github/index.ts"
import { Refusal, schemaTool } from "../SchemaTool.ts"
import type { Tool } from "../Tool.ts"
import { asRefusal, granted, numberField, numberOf, repositoryField, text } from "./Granted.ts"

const maxBytes = 1024 * 1024
const path = Schema.optionalKey(Schema.String.annotate({ description: "Only this file or directory." }))

export const githubIssueTool = (github: Github["Service"]): Tool =>
  schemaTool({
    name: "github_issue",
    description:
      "Reads an issue or pull request: title, body, labels, comments; of a pull request also its files, reviews and checks.",
    input: Schema.Struct({
      repository: repositoryField,
      number: numberField,
      page: Schema.optionalKey(
        Schema.Int.annotate({ description: "Of the comments; 30 each, oldest first." }),
      ),
    }),
    idempotent: true,
    parallel: true,
    summary: ({ number, page }) => `#${number ?? ""}${page === undefined ? "" : ` page ${page}`}`,
    run: ({ page = 1, ...target }) =>
      Effect.gen(function* () {
        const { grant } = yield* granted(github, "read", target)
        return text(yield* asRefusal(readIssue(grant, yield* numberOf(grant), page)))
      }),
  })

export const githubDiffTool = (github: Github["Service"]): Tool =>
  schemaTool({
    name: "github_diff",
    description:
      "The changes of a pull request: a summary of its files, then the diff, of one file where a path is given.",
    input: Schema.Struct({ repository: repositoryField, number: numberField, path }),
    idempotent: true,
    parallel: true,
    summary: ({ number, path: only = "" }) => `#${number ?? ""} ${only}`.trim(),
    run: ({ path: only, ...target }) =>
      Effect.gen(function* () {
        const { grant } = yield* granted(github, "read", target)
        const number = yield* numberOf(grant)
        const read = reader(grant)
        const base = yield* asRefusal(baseOf(grant, number))
        yield* asRefusal(grant.mirrors.refresh(grant.repository, number))
        const range = `refs/heads/${base}...refs/pull/${number}/head`
        const files = only === undefined ? [] : ["--", only]
        const stat = yield* read(["diff", "--stat=120", "--no-ext-diff", range, ...files])
        const diff = yield* read(["diff", "--no-ext-diff", "--no-textconv", range, ...files])
        return text(`${stat}\n${diff}`)
      }),
  })

export const githubFileTool = (github: Github["Service"]): Tool =>
  schemaTool({
    name: "github_file",
    description:
      "Reads a file or lists a directory of a repository at a branch or commit; with blame, who changed which line when.",
    input: Schema.Struct({
      repository: repositoryField,
      number: numberField,
      path: Schema.String.annotate({ description: "Empty for the root." }),
      ref: Schema.optionalKey(
        Schema.String.annotate({
          description: "A branch or commit. Default: the pull request of this room, else the default branch.",
        }),
      ),
      blame: Schema.optionalKey(Schema.Boolean),
    }),
    idempotent: true,
    parallel: true,
    summary: (input) => `${input.path}${input.ref === undefined ? "" : ` at ${input.ref}`}`,
    run: ({ path: file, ref, blame, ...target }) =>
      Effect.gen(function* () {
        const { grant } = yield* granted(github, "read", target)
        const read = reader(grant)
        const at = yield* asRefusal(commitOf(grant, ref))
        const clean = file.replace(/^\/+|\/+$/g, "")
        if (clean === "") return text(yield* read(["ls-tree", "--name-only", at]))
        const kind = (yield* read(["cat-file", "-t", `${at}:${clean}`])).trim()
        if (kind === "tree") return text(yield* read(["ls-tree", "--name-only", `${at}:${clean}`]))
        return text(
          blame === true
            ? yield* read(["blame", "--date=short", at, "--", clean])
            : yield* read(["cat-file", "blob", `${at}:${clean}`]),
        )
      }),
  })

export const githubSearchTool = (github: Github["Service"]): Tool =>
  schemaTool({
    name: "github_search",
    description:
      "Searches the code of a repository (fixed words, any case), or its issues and pull requests.",
    input: Schema.Struct({
      repository: repositoryField,
      query: Schema.String.check(Schema.isMinLength(1)),
      in: Schema.Literals(["code", "issues"]),
      path,
    }),
    idempotent: true,
    parallel: true,
    summary: (input) => `${input.query} in ${input.in}`,
    run: ({ query, path: only, in: where, ...target }) =>
      Effect.gen(function* () {
        const { grant } = yield* granted(github, "read", target)
        if (where === "issues") return text(yield* asRefusal(searchIssues(grant, query)))
        const at = yield* asRefusal(commitOf(grant, undefined))
        const files = only === undefined ? [] : ["--", only]
        const found = yield* Effect.catchIf(
          grant.mirrors.read(
            grant.repository,
            ["grep", "-n", "-I", "-i", "-F", "-e", query, at, ...files],
            maxBytes,
          ),
          // Nothing was found.
          (e) => e._tag === "GitError" && e.code === 1,
          () => Effect.succeed({ text: "Nothing matches.", cut: false }),
        ).pipe(asRefusal)
        return text(found.text.replaceAll(`${at}:`, ""))
      }),
  })

const reader = (grant: Grant) => (args: ReadonlyArray<string>) =>
  grant.mirrors.read(grant.repository, args, maxBytes).pipe(
    Effect.map(({ text: found, cut }) => (cut ? `${found}\n[cut: there is more]` : found)),
    asRefusal,
  )

const baseOf = (grant: Grant, number: number) =>
  grant.app.api
    .inRepository(
      grant.repository,
      { pull_requests: "read" },
      "GET /repos/{owner}/{repo}/pulls/{pull_number}",
      { pull_number: number },
    )
    .pipe(Effect.map(({ data }) => data.base.ref))

/** A commit: nothing that is given can be an option or a range. */
const commitOf = Effect.fnUntraced(function* (grant: Grant, ref: string | undefined) {
  const { app, mirrors, repository, number } = grant
  yield* Effect.catchIf(
    mirrors.refresh(repository, ref === undefined && number !== null ? number : undefined),
    // An issue has no head.
    (e) => e._tag === "GitError" && number !== null && ref === undefined,
    () => mirrors.refresh(repository),
  )
  if (ref !== undefined) {
    const sha = (yield* mirrors.shaOf(repository, `refs/heads/${ref}`)) ?? (yield* bySha(grant, ref))
    return sha ?? (yield* new Refusal({ message: `${repository.fullName} has no branch or commit ${ref}.` }))
  }
  const pull = number === null ? undefined : yield* mirrors.shaOf(repository, `refs/pull/${number}/head`)
  if (pull !== undefined) return pull
  const { data } = yield* app.api.inRepository(repository, {}, "GET /repos/{owner}/{repo}", {})
  const head = yield* mirrors.shaOf(repository, `refs/heads/${data.default_branch}`)
  return head ?? (yield* new Refusal({ message: `${repository.fullName} has no commits yet.` }))
})

const bySha = ({ mirrors, repository }: Grant, ref: string) =>
  /^[0-9a-f]{7,64}$/.test(ref) ? mirrors.shaOf(repository, ref) : Effect.succeed(undefined)
