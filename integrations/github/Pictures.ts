/**
 * Pictures in bodies. GitHub keeps them behind addresses that only its own rendering can open in private repositories, so
 * they are taken from that; only from where GitHub keeps files, a few, and not for long. One that does not come is a name.
 */
import * as Effect from "effect/Effect"
import type { Attachment, StoreError } from "../../runtime/index.ts"
import type { GithubApi } from "./GithubApi.ts"
import type { GithubError } from "./GithubError.ts"
import type { BodyOf } from "./Read.ts"
import type { Repository } from "./Repositories.ts"

const most = 5
const maxBytes = 5 * 1024 * 1024
const patience = "15 seconds"

type StoreBlob = (
  bytes: Uint8Array,
  mime: string,
  name: string,
) => Effect.Effect<NonNullable<Attachment["blob"]>, StoreError>

export const pictures = Effect.fnUntraced(function* (
  api: GithubApi,
  repository: Repository,
  body: BodyOf,
  text: string,
  storeBlob: StoreBlob,
): Effect.fn.Return<ReadonlyArray<Attachment>, StoreError> {
  if (!/!\[[^\]]*\]\(|<img\b/i.test(text)) return []
  const html = yield* rendered(api, repository, body).pipe(
    Effect.catch((error) => Effect.as(Effect.logWarning(`Pictures were not fetched: ${error.message}`), "")),
  )
  const urls = [...html.matchAll(/<img\b[^>]*?\bsrc="([^"]+)"/gi)].map(([, src = ""]) =>
    src.replaceAll("&amp;", "&"),
  )
  return yield* Effect.forEach([...new Set(urls)].slice(0, most), (url, i) => one(api, url, i, storeBlob), {
    concurrency: 3,
  })
})

const one = Effect.fnUntraced(function* (api: GithubApi, url: string, index: number, storeBlob: StoreBlob) {
  const fetched = yield* api.download(url, maxBytes).pipe(
    Effect.timeout(patience),
    Effect.catch((error) =>
      Effect.as(Effect.logWarning(`A picture was not fetched: ${error.message}`), null),
    ),
  )
  const mime = fetched === null ? "application/octet-stream" : (fetched.mime.split(";")[0] ?? "").trim()
  const name = `picture-${index + 1}.${/^image\/(\w+)/.exec(mime)?.[1] ?? "bin"}`
  const blob = fetched === null ? null : yield* storeBlob(fetched.bytes, mime, name)
  return { kind: "photo", name, mime, size: fetched?.bytes.length ?? 0, blob } satisfies Attachment
})

/** The body as GitHub shows it. */
const rendered = (
  api: GithubApi,
  repository: Repository,
  { kind, id }: BodyOf,
): Effect.Effect<string, GithubError> => {
  const headers = { accept: "application/vnd.github.full+json" }
  const html = (data: { readonly body_html?: string | undefined }) => data.body_html ?? ""
  switch (kind) {
    case "issue":
      return api
        .inRepository(repository, { issues: "read" }, "GET /repos/{owner}/{repo}/issues/{issue_number}", {
          issue_number: id,
          headers,
        })
        .pipe(Effect.map(({ data }) => html(data)))
    case "comment":
      return api
        .inRepository(
          repository,
          { issues: "read" },
          "GET /repos/{owner}/{repo}/issues/comments/{comment_id}",
          {
            comment_id: id,
            headers,
          },
        )
        .pipe(Effect.map(({ data }) => html(data)))
    case "review_comment":
      return api
        .inRepository(
          repository,
          { pull_requests: "read" },
          "GET /repos/{owner}/{repo}/pulls/comments/{comment_id}",
          { comment_id: id, headers },
        )
        .pipe(Effect.map(({ data }) => html(data)))
  }
}
