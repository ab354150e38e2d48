/** GitHub's refusals: octokit's errors are wrapped once, here, and the one table below says what to do about them. */
import { RequestError } from "@octokit/request-error"
import * as Schema from "effect/Schema"

export class GithubError extends Schema.TaggedError<GithubError>()("GithubError", {
  /** As in GitHub's documentation: `POST /repos/{owner}/{repo}/issues`. */
  route: Schema.String,
  /** HTTP's code; 0 when there was no answer. */
  status: Schema.Int,
  message: Schema.String,
  /** How long GitHub asks to wait; null when it does not say. */
  afterMs: Schema.NullOr(Schema.Number),
}) {}

export const fromOctokit = (route: string, cause: unknown): GithubError => {
  if (cause instanceof RequestError && cause.response !== undefined) {
    const { headers } = cause.response
    return new GithubError({
      route,
      status: cause.status,
      message: cause.message.replace(/ - https?:\S*$/, "").replace(/ - $/, ""),
      afterMs: waitOf(headers),
    })
  }
  return noAnswer(route, cause)
}

export const noAnswer = (route: string, cause: unknown): GithubError =>
  new GithubError({ route, status: 0, message: deepest(cause), afterMs: null })

/** A repository or issue that moved: our client follows no redirects. */
export const moved = (route: string, status: number): GithubError =>
  new GithubError({ route, status, message: "it moved", afterMs: null })

type Headers = Readonly<Record<string, string | number | undefined>>

const waitOf = (headers: Headers): number | null => {
  const after = Number(headers["retry-after"])
  if (headers["retry-after"] !== undefined && Number.isFinite(after)) return after * 1000
  if (String(headers["x-ratelimit-remaining"]) !== "0") return null
  // By GitHub's own clock: ours may be another.
  const reset = Number(headers["x-ratelimit-reset"]) * 1000 - Date.parse(String(headers["date"]))
  return Number.isFinite(reset) ? Math.max(reset, 1_000) : null
}

function deepest(cause: unknown): string {
  let error: unknown = cause
  for (let i = 0; i < 5 && error instanceof Error && error.cause !== undefined; i++) error = error.cause
  return error instanceof Error ? error.message || error.name : String(error)
}

/** What to do about a call. `limited`: everything of the installation waits. `gone`: it will never work. */
export type Verdict =
  | { readonly _tag: "retry"; readonly afterMs: number }
  | { readonly _tag: "limited"; readonly afterMs: number }
  | { readonly _tag: "refused" }
  | { readonly _tag: "moved" }
  | { readonly _tag: "gone" }

const table: ReadonlyArray<readonly [status: number, words: RegExp, verdict: Verdict]> = [
  [403, /secondary rate limit|abuse detection/i, { _tag: "limited", afterMs: 60_000 }],
  [403, /rate limit exceeded/i, { _tag: "limited", afterMs: 60_000 }],
  [429, /./, { _tag: "limited", afterMs: 60_000 }],
  [401, /./, { _tag: "refused" }],
  [301, /./, { _tag: "moved" }],
  [307, /./, { _tag: "moved" }],
  [308, /./, { _tag: "moved" }],
]

export const verdictOf = ({ status, message, afterMs }: GithubError): Verdict => {
  if (afterMs !== null && (status === 403 || status === 429)) return { _tag: "limited", afterMs }
  const row = table.find(([known, words]) => known === status && words.test(message))
  if (row !== undefined) return row[2]
  if (status === 0 || status >= 500 || status === 408 || status === 409)
    return { _tag: "retry", afterMs: 2_000 }
  return { _tag: "gone" }
}

export const sentence = (error: GithubError): string =>
  error.status === 0
    ? `GitHub could not be reached for ${error.route}: ${error.message}.`
    : `GitHub refused ${error.route}: ${error.message} (${error.status}).`
