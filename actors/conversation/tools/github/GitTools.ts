/**
 * Code from GitHub into the agent's computer and back, without a token or network there: commits travel as bundles over the
 * computer's file port, and the runtime's gateway (Mirrors) pushes what was granted.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import {
  callKey,
  openPull,
  workBranch,
  type Github,
  type Grant,
  type WorkBranch,
} from "../../../../integrations/github/index.ts"
import type { SandboxError } from "../../../../integrations/sprites/index.ts"
import { execute, type Place, type Shell } from "../../../sprite/index.ts"
import { done, Refusal, schemaTool } from "../SchemaTool.ts"
import { TurnContext, type Tool } from "../Tool.ts"
import { asRefusal, granted, numberField, repositoryField } from "./Granted.ts"

const patienceMs = 300_000

export const githubCloneTool = (github: Github["Service"], shell: Shell["Service"]): Tool =>
  schemaTool({
    name: "github_clone",
    description:
      "Brings a repository onto your computer, on your own branch for this issue or pull request. Again: fetches what is new as origin/*. There is no remote and no token: push with github_push.",
    input: Schema.Struct({ repository: repositoryField, number: numberField }),
    idempotent: true,
    parallel: false,
    summary: ({ repository, number }) => `${repository ?? ""}${number === undefined ? "" : `#${number}`}`,
    run: (target) =>
      Effect.gen(function* () {
        const { grant } = yield* granted(github, "command", target)
        const { mirrors, repository } = grant
        const work = yield* asRefusal(workBranch(grant, grant.number))
        yield* asRefusal(mirrors.refresh(repository, work.onto ?? undefined))
        const theirs = yield* mirrors.shaOf(repository, `refs/heads/${work.branch}`)
        const refs = [
          ...new Set([
            `refs/heads/${work.base}`,
            ...(theirs === undefined ? [] : [`refs/heads/${work.branch}`]),
            ...(work.onto === null ? [] : [`refs/pull/${work.onto}/head`]),
          ]),
        ]
        const bytes = yield* asRefusal(mirrors.bundle(repository, refs))
        const place = yield* placeOf(shell)
        const file = `${place.home}/.troupe/git/${repository.id}.bundle`
        yield* place.machine.writeFile(file, bytes)
        const start =
          theirs !== undefined
            ? `origin/${work.branch}`
            : work.onto === null
              ? `origin/${work.base}`
              : `refs/remotes/pull/${work.onto}/head`
        const { slug, botId } = yield* grant.app.identity
        const directory = directoryOf(place, grant)
        const shown = yield* bash(place, cloneScript, [
          directory,
          file,
          work.branch,
          start,
          `${slug}[bot]`,
          `${botId}+${slug}[bot]@users.noreply.github.com`,
        ])
        return done(`${directory} is on branch ${work.branch}, for ${work.base}.\n${shown}`)
      }),
  })

export const githubPushTool = (github: Github["Service"], shell: Shell["Service"]): Tool =>
  schemaTool({
    name: "github_push",
    description:
      "Pushes the commits of your branch of github_clone to GitHub. With a message, commits all changes first. Workflow files are refused.",
    input: Schema.Struct({
      repository: repositoryField,
      number: numberField,
      message: Schema.optionalKey(Schema.String.annotate({ description: "Of the commit." })),
    }),
    idempotent: true,
    parallel: false,
    summary: ({ message = "" }) => message,
    run: ({ message = "", ...target }) =>
      Effect.gen(function* () {
        const { grant } = yield* granted(github, "command", target)
        const work = yield* asRefusal(workBranch(grant, grant.number))
        const place = yield* placeOf(shell)
        const directory = directoryOf(place, grant)
        const file = `${place.home}/.troupe/git/${grant.repository.id}.out`
        const shown = yield* bash(place, commitScript, [directory, file, work.branch, message])
        const bytes = yield* place.machine.readFile(file)
        const sha = yield* asRefusal(grant.mirrors.push(grant.repository, work.branch, work.base, bytes))
        yield* bash(place, pushedScript, [directory, work.branch, sha])
        const next =
          work.pull === null
            ? "There is no pull request yet: open one with github_open_pull."
            : `It is in pull request #${work.pull}.`
        return done(`Pushed ${sha} to ${work.branch}. ${next}\n${shown}`)
      }),
  })

export const githubOpenPullTool = (github: Github["Service"]): Tool =>
  schemaTool({
    name: "github_open_pull",
    description:
      "Opens the pull request for the branch that you pushed. There is one for a branch; again, it is found.",
    input: Schema.Struct({
      repository: repositoryField,
      number: numberField,
      title: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(250)),
      body: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(60_000)).annotate({
        description: "What was changed, why, and how it was checked.",
      }),
      draft: Schema.optionalKey(Schema.Boolean),
    }),
    idempotent: true,
    parallel: false,
    summary: ({ title }) => title,
    run: ({ title, body, draft = false, ...target }) =>
      Effect.gen(function* () {
        const { grant } = yield* granted(github, "command", target)
        const work = yield* asRefusal(workBranch(grant, grant.number))
        yield* asRefusal(grant.mirrors.refresh(grant.repository))
        if ((yield* grant.mirrors.shaOf(grant.repository, `refs/heads/${work.branch}`)) === undefined)
          return yield* new Refusal({
            message: `Nothing was pushed to ${work.branch} yet: call github_push first.`,
          })
        const { turn, n } = yield* TurnContext
        const made = yield* asRefusal(
          openPull(grant, callKey(turn, n), {
            title,
            body: `${body}${askedIn(grant, work)}`,
            head: work.branch,
            base: work.base,
            draft,
          }),
        )
        return done(`${made.known ? "It is open already" : "Opened"}: #${made.id} ${made.url}`)
      }),
  })

const askedIn = ({ number }: Grant, { onto }: WorkBranch): string =>
  number === null ? "" : `\n\n${onto === null ? "For" : "Builds on"} #${number}.`

/** The agent's computer is one for all rooms: each issue has its own copy there. */
const directoryOf = ({ home }: Place, { repository, number }: Grant): string =>
  `${home}/repos/${repository.owner}-${repository.name}${number === null ? "" : `-${number}`}`

const placeOf = (shell: Shell["Service"]) =>
  Effect.flatMap(TurnContext, ({ agent, thread }) => shell.place(agent, thread))

/** What is given is an argument, never a part of the script. */
const bash = Effect.fnUntraced(function* (
  place: Place,
  script: string,
  args: ReadonlyArray<string>,
): Effect.fn.Return<string, Refusal | SandboxError> {
  const argv = ["bash", "--noprofile", "--norc", "-c", script, "git", ...args]
  const { exitCode, stdout, stderr } = yield* execute(place.machine, {
    argv,
    cwd: place.home,
    timeoutMs: patienceMs,
  })
  const shown = `${stdout.parts.first.toString()}${stderr.parts.first.toString()}`.trim()
  if (exitCode === 0) return shown
  return yield* new Refusal({ message: `git on your computer ended with exit code ${exitCode}:\n${shown}` })
})

const cloneScript = `
set -e
command -v git >/dev/null || { echo "There is no git on this computer: install it." >&2; exit 1; }
mkdir -p "$(dirname "$1")"
[ -d "$1/.git" ] || git init -q -b troupe "$1"
cd "$1"
git config user.name "$5"
git config user.email "$6"
git fetch -q --no-tags --no-write-fetch-head "$2" '+refs/heads/*:refs/remotes/origin/*' '+refs/pull/*:refs/remotes/pull/*'
rm -f "$2"
if git rev-parse -q --verify "refs/heads/$3" >/dev/null; then git checkout -q "$3"
else git checkout -q --no-track -b "$3" "$4"; fi
git status -sb | head -20
git log -3 --oneline`

const commitScript = `
set -e
cd "$1" 2>/dev/null || { echo "There is no $1: call github_clone first." >&2; exit 1; }
[ "$(git symbolic-ref -q --short HEAD)" = "$3" ] || { echo "Check out $3 first: only this branch is pushed." >&2; exit 1; }
if [ -n "$4" ]; then git add -A; git diff --cached --quiet || git commit -q -m "$4"; fi
git status --porcelain | sed 's/^/not committed: /' | head -20
rm -f "$2"
mkdir -p "$(dirname "$2")"
if [ -z "$(git rev-list -1 HEAD --not --remotes=origin)" ] && ! git rev-parse -q --verify "refs/remotes/origin/$3" >/dev/null
then echo "There are no new commits: change something and commit it." >&2; exit 1; fi
git bundle create -q "$2" HEAD --not $(git for-each-ref --format='%(refname)' refs/remotes | grep -vx "refs/remotes/origin/$3") || {
  echo "There are no new commits: change something and commit it." >&2; exit 1; }
git log --oneline HEAD --not --remotes=origin | head -20`

const pushedScript = `
cd "$1" && git update-ref "refs/remotes/origin/$2" "$3"`
