/**
 * P13: what a person may do in a repository now, asked of GitHub by the person's number. GitHub's question goes by name, so the
 * number in its answer must be the one that was asked for: a name that somebody else took means nothing.
 */
import * as Effect from "effect/Effect"
import type { GithubApi } from "./GithubApi.ts"
import type { GithubError } from "./GithubError.ts"
import type { Repository } from "./Repositories.ts"
import { levels, type Level } from "./Settings.ts"

export interface Permissions {
  /** Asked now. */
  readonly live: (repository: Repository, user: number) => Effect.Effect<Level, GithubError>
  /** At most a minute old: for what may be answered, never for what is done. `login` saves a question. */
  readonly recent: (repository: Repository, user: number, login: string) => Effect.Effect<Level, GithubError>
  /** A number for a name. */
  readonly userOf: (
    repository: Repository,
    login: string,
  ) => Effect.Effect<{ readonly id: number; readonly login: string } | undefined, GithubError>
}

const recently = 60_000
const mostKept = 5_000

export const makePermissions = (api: GithubApi): Permissions => {
  const logins = new Map<number, string>()
  const kept = new Map<string, { readonly level: Level; readonly until: number }>()

  const named = (repository: Repository, user: number, username: string) =>
    api
      .inRepository(repository, {}, "GET /repos/{owner}/{repo}/collaborators/{username}/permission", {
        username,
      })
      .pipe(
        Effect.map(({ data }): Level | undefined =>
          Number(data.user?.id) === user ? levelOf(data.role_name, data.permission) : undefined,
        ),
        missing,
      )

  const live: Permissions["live"] = Effect.fnUntraced(function* (repository, user) {
    const known = logins.get(user)
    const first = known === undefined ? undefined : yield* named(repository, user, known)
    const level = first ?? (yield* byNumber(repository, user))
    if (kept.size > mostKept) kept.clear()
    kept.set(`${repository.id}/${user}`, { level, until: api.clocks.steady() + recently })
    return level
  })

  const byNumber = Effect.fnUntraced(function* (repository: Repository, user: number) {
    const found = yield* api
      .inRepository(repository, {}, "GET /user/{account_id}", { account_id: user })
      .pipe(
        Effect.map(({ data }) => data.login),
        missing,
      )
    if (found === undefined) return "none" as const
    logins.set(user, found)
    return (yield* named(repository, user, found)) ?? "none"
  })

  return {
    live,
    recent: (repository, user, login) => {
      const known = kept.get(`${repository.id}/${user}`)
      if (known !== undefined && known.until > api.clocks.steady()) return Effect.succeed(known.level)
      logins.set(user, login)
      return live(repository, user)
    },
    userOf: (repository, username) =>
      api.inRepository(repository, {}, "GET /users/{username}", { username }).pipe(
        Effect.map(({ data }) => ({ id: Number(data.id), login: data.login })),
        missing,
      ),
  }
}

const missing = <A>(effect: Effect.Effect<A, GithubError>): Effect.Effect<A | undefined, GithubError> =>
  Effect.catchIf(
    effect,
    (e) => e.status === 404,
    () => Effect.succeed(undefined),
  )

/** A role of the organization's own making counts as the coarse permission it builds on. */
const levelOf = (role: string, coarse: string): Level =>
  levels.find((l) => l === role) ?? levels.find((l) => l === coarse) ?? "none"
