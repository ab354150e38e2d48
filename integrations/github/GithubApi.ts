/**
 * The one bridge from octokit's promises to Effect: typed REST calls as the App, or in one repository with a token that can
 * do just that. It makes one attempt; only what certainly did nothing is sent again by itself (a token or a clock that was
 * out of date, a repository that was renamed), and reads, which change nothing.
 */
import { request } from "@octokit/request"
import type { Endpoints } from "@octokit/types"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { KeyObject } from "node:crypto"
import { keepAliveFetch, type Fetch } from "../../runtime/index.ts"
import { jwtOf, TokenCache, type Permissions } from "./AppAuth.ts"
import { Clocks } from "./Clocks.ts"
import { fromOctokit, moved, noAnswer, verdictOf, type GithubError } from "./GithubError.ts"
import { Pace } from "./Pace.ts"
import { makeRepositories, type Repositories, type Repository } from "./Repositories.ts"

export type Route = keyof Endpoints
export type Parameters<R extends Route> = Omit<Endpoints[R]["parameters"], "owner" | "repo"> & {
  readonly headers?: Readonly<Record<string, string>>
}
export type Data<R extends Route> = Endpoints[R]["response"]["data"]

export interface Page<A> {
  readonly data: A
  /** Of the next page, where there is one. */
  readonly next: string | null
}

export interface GithubApi {
  readonly root: string
  /** Where repositories are cloned from: no `.git` URL points anywhere else. */
  readonly gitRoot: string
  readonly clocks: Clocks
  readonly pace: Pace
  readonly repositories: Repositories
  readonly asApp: <R extends Route>(
    route: R,
    parameters: Parameters<R>,
  ) => Effect.Effect<Page<Data<R>>, GithubError>
  /** `owner` and `repo` are filled in. */
  readonly inRepository: <R extends Route>(
    repository: Repository,
    permissions: Permissions,
    route: R,
    parameters: Parameters<R>,
  ) => Effect.Effect<Page<Data<R>>, GithubError>
  /** With a token of the whole installation. */
  readonly inInstallation: <R extends Route>(
    installation: number,
    permissions: Permissions,
    route: R,
    parameters: Parameters<R>,
  ) => Effect.Effect<Page<Data<R>>, GithubError>
  /** For git, which asks by itself; `refused` is one that GitHub does not take any more. */
  readonly token: (
    repository: Repository,
    permissions: Permissions,
    refused?: Redacted.Redacted,
  ) => Effect.Effect<Redacted.Redacted, GithubError>
  /** The bytes of a file behind an address that GitHub gave us, at most `maxBytes`. */
  readonly download: (
    url: string,
    maxBytes: number,
  ) => Effect.Effect<{ readonly bytes: Uint8Array; readonly mime: string }, GithubError>
}

export const defaultRoot = "https://api.github.com"
const patienceMs = 30_000
const version = "2022-11-28"

export const makeGithubApi = Effect.fnUntraced(function* (options: {
  readonly appId: string
  readonly key: KeyObject
  readonly apiUrl: string | undefined
}): Effect.fn.Return<GithubApi, never, Scope.Scope> {
  const root = (options.apiUrl ?? defaultRoot).replace(/\/+$/, "")
  const clock = yield* Clock.Clock
  const clocks = new Clocks(
    () => clock.currentTimeMillisUnsafe(),
    () => performance.now(),
  )
  const pace = new Pace(clocks)
  const tokens = new TokenCache(clocks)
  const fetch = yield* keepAliveFetch({ firstByteMs: patienceMs, idleMs: patienceMs })
  const octokit = request.defaults({
    baseUrl: root,
    headers: { "user-agent": "troupe", "x-github-api-version": version },
    request: { fetch, redirect: "manual" },
  })

  const send = <R extends Route>(
    route: R,
    parameters: object,
    authorization: string,
  ): Effect.Effect<Page<Data<R>>, GithubError> =>
    Effect.tryPromise({
      try: (signal) => {
        const { headers, ...rest } = parameters as { headers?: Record<string, string> }
        return octokit(route as string, {
          ...rest,
          headers: { ...headers, authorization },
          request: { fetch, redirect: "manual", signal },
        }) as unknown as Promise<{
          status: number
          data: Data<R>
          headers: Record<string, string | undefined>
        }>
      },
      catch: (cause) => {
        const date = (cause as { response?: { headers?: { date?: string } } }).response?.headers?.date
        clocks.learn(date)
        return fromOctokit(route, cause)
      },
    }).pipe(
      Effect.flatMap(({ status, data, headers }) => {
        clocks.learn(headers["date"])
        return status >= 300 && status < 400
          ? Effect.fail(moved(route, status))
          : Effect.succeed({ data, next: nextOf(headers["link"]) })
      }),
      route.startsWith("GET ")
        ? Effect.retry({ schedule: again, while: (e) => e.status === 0 || e.status >= 500 })
        : (effect) => effect,
    )

  const asApp: GithubApi["asApp"] = (route, parameters) =>
    Effect.suspend(() => send(route, parameters, `Bearer ${jwtOf(options.appId, options.key, clocks)}`)).pipe(
      // Signed again with what the refusal told of GitHub's time.
      Effect.retry({ times: 1, while: (e) => e.status === 401 }),
    )

  const minted = Effect.fnUntraced(function* (
    installation: number,
    repository: number | null,
    permissions: Permissions,
  ) {
    const key = `${installation}/${repository ?? "*"}/${JSON.stringify(Object.entries(permissions).toSorted())}`
    const known = tokens.get(key)
    if (known !== undefined) return { key, token: known }
    const { data } = yield* asApp("POST /app/installations/{installation_id}/access_tokens", {
      installation_id: installation,
      permissions: { metadata: "read", ...permissions },
      ...(repository === null ? {} : { repository_ids: [repository] }),
    } as Parameters<"POST /app/installations/{installation_id}/access_tokens">)
    const token = Redacted.make(data.token)
    tokens.keep(key, token, data.expires_at)
    return { key, token }
  })

  const withToken = <R extends Route>(
    installation: number,
    repository: number | null,
    permissions: Permissions,
    route: R,
    parameters: object,
  ): Effect.Effect<Page<Data<R>>, GithubError> => {
    const once = Effect.flatMap(minted(installation, repository, permissions), ({ key, token }) =>
      send(route, parameters, `Bearer ${Redacted.value(token)}`).pipe(
        Effect.tapError((e) =>
          Effect.sync(() => {
            const verdict = verdictOf(e)
            if (e.status === 401) tokens.drop(key)
            if (verdict._tag === "limited") pace.block(installation, verdict.afterMs)
          }),
        ),
      ),
    )
    // A token that GitHub does not take any more did nothing: once more with a new one.
    return Effect.catchIf(
      once,
      (e) => e.status === 401,
      () => once,
    )
  }

  const inInstallation: GithubApi["inInstallation"] = (installation, permissions, route, parameters) =>
    withToken(installation, null, permissions, route, parameters)

  const repositories = makeRepositories(asApp, inInstallation)

  const inRepository: GithubApi["inRepository"] = (repository, permissions, route, parameters) => {
    const named = ({ id, installation, owner, name }: Repository) =>
      withToken(installation, id, permissions, route, { ...parameters, owner, repo: name })
    const current = repositories.known(repository.id) ?? repository
    return Effect.catchIf(
      named(current),
      (e) => verdictOf(e)._tag === "moved",
      (e) =>
        Effect.flatMap(repositories.refresh, () => {
          const now = repositories.known(repository.id)
          return now === undefined || now.fullName === current.fullName ? Effect.fail(e) : named(now)
        }),
    )
  }

  const gitRoot = gitRootOf(root)
  return {
    root,
    gitRoot,
    clocks,
    pace,
    repositories,
    asApp,
    inRepository,
    inInstallation,
    token: (repository, permissions, refused) => {
      const once = minted(repository.installation, repository.id, permissions)
      return Effect.flatMap(once, ({ key, token }) => {
        if (token !== refused) return Effect.succeed(token)
        tokens.drop(key)
        return Effect.map(once, (fresh) => fresh.token)
      })
    },
    download: (url, maxBytes) =>
      Effect.tryPromise({
        try: (signal) => readAtMost(fetch, url, (to) => isGithubs(to, gitRoot), maxBytes, signal),
        catch: (cause) => noAnswer("GET a file", cause),
      }),
  }
})

const again = Schedule.max([Schedule.exponential("200 millis"), Schedule.recurs(2)])

const nextOf = (link: string | undefined): string | null =>
  /<([^>]+)>;\s*rel="next"/.exec(link ?? "")?.[1] ?? null

/** `https://api.github.com` -> `https://github.com`; `https://host/api/v3` -> `https://host`. */
export const gitRootOf = (root: string): string =>
  root === defaultRoot ? "https://github.com" : root.replace(/\/api\/v3$/, "")

/** Files are only fetched from where GitHub keeps them, whatever a text says. */
const isGithubs = (url: string, gitRoot: string): boolean => {
  const { origin, protocol, hostname } = new URL(url)
  return (
    origin === gitRoot ||
    (protocol === "https:" &&
      /(^|\.)(githubusercontent\.com|github-production-[\w-]+\.s3\.amazonaws\.com)$/.test(hostname))
  )
}

async function readAtMost(
  fetch: Fetch,
  url: string,
  allowed: (url: string) => boolean,
  maxBytes: number,
  signal: AbortSignal,
) {
  let address = url
  for (let hops = 0; ; hops++) {
    if (!allowed(address)) throw new Error("it is not kept by GitHub")
    const response = await fetch(address, { signal })
    const location = response.headers.get("location")
    if (response.status >= 300 && response.status < 400 && location !== null && hops < 3) {
      await response.body?.cancel()
      address = new URL(location, address).href
      continue
    }
    if (!response.ok) throw new Error(`GitHub answered ${response.status} for the file`)
    const parts: Array<Uint8Array> = []
    let size = 0
    for await (const part of response.body ?? []) {
      size += part.length
      if (size > maxBytes) throw new Error("the file is too big")
      parts.push(part)
    }
    return { bytes: Buffer.concat(parts), mime: response.headers.get("content-type") ?? "" }
  }
}
