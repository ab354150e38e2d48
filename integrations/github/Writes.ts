/**
 * Writes of tools, each at most once (P6, P8): what a call writes carries its mark, is looked for before it is made and again
 * when nobody knows whether it was. The same call of the same turn finds what it did before; of two the first counts.
 */
import * as Effect from "effect/Effect"
import { madeAt, type TurnId } from "../../runtime/index.ts"
import type { Grant } from "./Github.ts"
import type { GithubApi } from "./GithubApi.ts"
import { GithubError, verdictOf } from "./GithubError.ts"
import { marker, markOf } from "./Marker.ts"

export interface Written {
  readonly id: number
  readonly url: string
  /** It was there already. */
  readonly known: boolean
}

export interface NewComment {
  readonly path: string
  readonly line: number
  readonly side?: "LEFT" | "RIGHT"
  readonly body: string
}

const lag = "2 seconds"
const slack = 600_000
const longestWait = 600_000

/** What one call of one turn is known by. */
export const callKey = (turn: TurnId, n: number): string => `${turn}/call-${n}`

const marked = (grant: Grant, key: string, body: string) =>
  `${body}\n\n${marker({ key, agent: grant.agentName })}`

/** By GitHub's clock, from a little before the turn began. */
const sinceOf = ({ app: { api } }: Grant, key: string) =>
  new Date(madeAt(key) + api.clocks.now() - api.clocks.local() - slack).toISOString()

const once = (
  grant: Grant,
  find: Effect.Effect<Omit<Written, "known"> | undefined, GithubError>,
  create: Effect.Effect<Omit<Written, "known">, GithubError>,
): Effect.Effect<Written, GithubError> =>
  Effect.gen(function* () {
    for (let attempt = 1; ; attempt++) {
      const found = yield* find
      if (found !== undefined) return { ...found, known: true }
      yield* paced(grant.app.api, grant.repository.installation)
      const made = yield* Effect.result(create)
      if (made._tag === "Success") return { ...made.success, known: false }
      const verdict = verdictOf(made.failure)
      if (verdict._tag === "limited" && verdict.afterMs <= longestWait && attempt < 4)
        yield* Effect.sleep(verdict.afterMs)
      else if (verdict._tag === "retry" && attempt < 4) yield* Effect.sleep(lag)
      else return yield* made.failure
    }
  })

/** GitHub's limits are delays. */
const paced = (api: GithubApi, installation: number): Effect.Effect<void, GithubError> =>
  Effect.suspend(() => {
    const wait = api.pace.take(installation)
    if (wait === 0) return Effect.void
    if (wait <= longestWait) return Effect.andThen(Effect.sleep(wait), paced(api, installation))
    const message = `its limits are used up for ${Math.ceil(wait / 60_000)} minutes`
    return Effect.fail(new GithubError({ route: "new content", status: 429, message, afterMs: wait }))
  })

const bearing = <A extends { readonly body?: string | null | undefined }>(
  all: ReadonlyArray<A>,
  key: string,
): A | undefined => all.find((c) => markOf(c.body)?.key === key)

export const comment = (grant: Grant, number: number, key: string, body: string) => {
  const { app, repository } = grant
  const issues = { issues: "write" } as const
  return once(
    grant,
    app.api
      .inRepository(repository, issues, "GET /repos/{owner}/{repo}/issues/{issue_number}/comments", {
        issue_number: number,
        since: sinceOf(grant, key),
        per_page: 100,
      })
      .pipe(Effect.map(({ data }) => written(bearing(data, key)))),
    app.api
      .inRepository(repository, issues, "POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
        issue_number: number,
        body: marked(grant, key, body),
      })
      .pipe(Effect.map(({ data }) => written(data)!)),
  )
}

export const review = (
  grant: Grant,
  number: number,
  key: string,
  given: {
    readonly event: "COMMENT" | "REQUEST_CHANGES"
    readonly body: string
    readonly comments: ReadonlyArray<NewComment>
  },
) => {
  const { app, repository } = grant
  const pulls = { pull_requests: "write" } as const
  const path = { pull_number: number }
  return once(
    grant,
    Effect.gen(function* () {
      for (let page = 1; ; page++) {
        const list = yield* app.api.inRepository(
          repository,
          pulls,
          "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
          { ...path, per_page: 100, page },
        )
        const found = written(bearing(list.data, key))
        if (found !== undefined || list.next === null) return found
      }
    }),
    app.api
      .inRepository(repository, pulls, "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews", {
        ...path,
        event: given.event,
        body: marked(grant, key, given.body),
        comments: given.comments.map((c) => ({
          ...c,
          side: c.side ?? "RIGHT",
          // Whoever answers there answers this agent.
          body: marked(grant, key, c.body),
        })),
      })
      .pipe(Effect.map(({ data }) => written(data)!)),
  )
}

export const openIssue = (
  grant: Grant,
  key: string,
  given: { readonly title: string; readonly body: string; readonly labels: ReadonlyArray<string> },
) => {
  const { app, repository } = grant
  const issues = { issues: "write" } as const
  return once(
    grant,
    app.api
      .inRepository(repository, issues, "GET /repos/{owner}/{repo}/issues", {
        state: "all",
        since: sinceOf(grant, key),
        per_page: 100,
      })
      .pipe(Effect.map(({ data }) => numbered(bearing(data, key)))),
    app.api
      .inRepository(repository, issues, "POST /repos/{owner}/{repo}/issues", {
        title: given.title,
        body: marked(grant, key, given.body),
        labels: [...given.labels],
      })
      .pipe(Effect.map(({ data }) => numbered(data)!)),
  )
}

/** One open pull request a branch: GitHub itself refuses a second. */
export const openPull = (
  grant: Grant,
  key: string,
  given: {
    readonly title: string
    readonly body: string
    readonly head: string
    readonly base: string
    readonly draft: boolean
  },
) => {
  const { app, repository } = grant
  const pulls = { pull_requests: "write", contents: "read" } as const
  return once(
    grant,
    app.api
      .inRepository(repository, pulls, "GET /repos/{owner}/{repo}/pulls", {
        state: "open",
        head: `${repository.owner}:${given.head}`,
      })
      .pipe(Effect.map(({ data }) => numbered(data.find((p) => p.head.ref === given.head)))),
    app.api
      .inRepository(repository, pulls, "POST /repos/{owner}/{repo}/pulls", {
        ...given,
        body: marked(grant, key, given.body),
      })
      .pipe(Effect.map(({ data }) => numbered(data)!)),
  )
}

const written = (
  found: { readonly id: number | bigint; readonly html_url?: string | undefined } | undefined,
): Omit<Written, "known"> | undefined =>
  found === undefined ? undefined : { id: Number(found.id), url: found.html_url ?? "" }

const numbered = (
  found: { readonly number: number; readonly html_url?: string | undefined } | undefined,
): Omit<Written, "known"> | undefined =>
  found === undefined ? undefined : { id: found.number, url: found.html_url ?? "" }
