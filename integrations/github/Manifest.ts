/**
 * Making a GitHub App without typing: GitHub takes a manifest from a form and gives back a code, and for the code, once, the
 * App's number, private key and webhook secret. The permissions are what the door and the tools use and no more: none for
 * workflow files, none for secrets, none for administration.
 */
import { request } from "@octokit/request"
import * as Effect from "effect/Effect"
import { keepAliveFetch } from "../../runtime/index.ts"
import { fromOctokit, type GithubError } from "./GithubError.ts"
import { defaultRoot, gitRootOf } from "./GithubApi.ts"
import { knownEvents } from "./Payload.ts"

export const permissions = {
  metadata: "read",
  issues: "write",
  pull_requests: "write",
  contents: "write",
  checks: "read",
  actions: "read",
} as const

export const manifestOf = (given: {
  readonly appName: string
  /** Where GitHub sends its webhooks. */
  readonly hook: string
  /** Where the browser comes back to. */
  readonly back: string
}) => ({
  name: given.appName,
  url: "https://github.com",
  hook_attributes: { url: given.hook, active: true },
  redirect_url: given.back,
  public: false,
  default_permissions: permissions,
  default_events: knownEvents,
})

/** Where the form with the manifest is sent. */
export const newAppUrl = (
  apiUrl: string | undefined,
  organization: string | undefined,
  state: string,
): string => {
  const root = gitRootOf((apiUrl ?? defaultRoot).replace(/\/+$/, ""))
  const owner = organization === undefined ? "" : `/organizations/${encodeURIComponent(organization)}`
  return `${root}${owner}/settings/apps/new?state=${state}`
}

export interface MadeApp {
  readonly id: number
  readonly slug: string
  readonly privateKey: string
  readonly webhookSecret: string
  /** Its page, where it is installed. */
  readonly url: string
}

export const convertManifest = (
  apiUrl: string | undefined,
  code: string,
): Effect.Effect<MadeApp, GithubError> =>
  Effect.gen(function* () {
    const fetch = yield* keepAliveFetch({ firstByteMs: 30_000, idleMs: 30_000 })
    const route = "POST /app-manifests/{code}/conversions"
    const { data } = yield* Effect.tryPromise({
      try: () => request(route, { code, baseUrl: apiUrl ?? defaultRoot, request: { fetch } }),
      catch: (cause) => fromOctokit(route, cause),
    })
    return {
      id: Number(data.id),
      slug: data.slug ?? data.name,
      privateKey: data.pem,
      webhookSecret: data.webhook_secret ?? "",
      url: data.html_url,
    }
  }).pipe(Effect.scoped)
