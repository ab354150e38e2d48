/**
 * Where an agent's work for an issue or pull request goes. The names are worked out, never chosen, so that the same work finds
 * its own branch after a restart (P8) and a grant can name the one branch that may be pushed.
 */
import * as Effect from "effect/Effect"
import type { Grant } from "./Github.ts"
import { branchFor, ownBranch } from "./Marker.ts"

export interface WorkBranch {
  readonly branch: string
  /** What it is meant to go into. */
  readonly base: string
  /** Its open pull request. */
  readonly pull: number | null
  /** The pull request of somebody else that it builds on. */
  readonly onto: number | null
}

/**
 * In a room of the agent's own pull request: its branch. Elsewhere one named after agent and number; one whose pull request
 * is closed is not used again.
 */
export const workBranch = Effect.fnUntraced(function* (grant: Grant, number: number | null) {
  const { app, repository, agentName } = grant
  const pulls = { pull_requests: "read" } as const
  const { data: about } = yield* app.api.inRepository(repository, {}, "GET /repos/{owner}/{repo}", {})
  const here =
    number === null
      ? undefined
      : yield* app.api
          .inRepository(repository, pulls, "GET /repos/{owner}/{repo}/pulls/{pull_number}", {
            pull_number: number,
          })
          .pipe(
            Effect.map(({ data }) => data),
            Effect.catchIf(
              (e) => e.status === 404,
              () => Effect.succeed(undefined),
            ),
          )
  const inside = here !== undefined && Number(here.head.repo?.id) === repository.id
  if (inside && here.state === "open" && ownBranch(here.head.ref)?.agent === agentName)
    return { branch: here.head.ref, base: here.base.ref, pull: here.number, onto: null } satisfies WorkBranch
  const base = here === undefined ? about.default_branch : inside ? here.head.ref : here.base.ref
  for (let again = 1; ; again++) {
    const branch = branchFor(agentName, number ?? 0, again)
    const { data } = yield* app.api.inRepository(repository, pulls, "GET /repos/{owner}/{repo}/pulls", {
      state: "all",
      head: `${repository.owner}:${branch}`,
    })
    const of = data.filter((p) => p.head.ref === branch)
    if (of.every((p) => p.state === "open"))
      return { branch, base, pull: of[0]?.number ?? null, onto: here?.number ?? null } satisfies WorkBranch
  }
})
