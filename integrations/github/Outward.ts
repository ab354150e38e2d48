/**
 * One comment a turn and agent (P8): found by its mark before it is created, of two the higher is deleted, and from then on
 * edited. Words that answer a review comment stand in its thread. Each comment is a mail to its readers, so the first
 * words wait a while for the final ones, and progress is shown rarely. Retrying and order are the Courier's.
 */
import * as Effect from "effect/Effect"
import {
  madeAt,
  SendError,
  type AgentId,
  type DoorId,
  type Outward,
  type Say,
  type TurnId,
} from "../../runtime/index.ts"
import { compose, type Receipts } from "./Compose.ts"
import type { GithubApi } from "./GithubApi.ts"
import { sentence, verdictOf, type GithubError } from "./GithubError.ts"
import { markOf } from "./Marker.ts"
import type { Repository } from "./Repositories.ts"
import { split } from "./Split.ts"

export interface OutwardServices {
  readonly agentName: (agent: AgentId) => string
  /** What the turn did so far. */
  readonly receipts: (turn: TurnId) => Effect.Effect<Receipts | undefined>
}

/** A turn that is done by then is one comment and no edit. */
const holdBackMs = 20_000
const progressEveryMs = 20_000
/** Turns are dated by our clock, comments by GitHub's; both may be a little off. */
const slack = 600_000
/** GitHub's lists may lag a moment behind what it accepted. */
const lagMs = 2_000

export const makeOutward = (door: DoorId, api: GithubApi, services: OutwardServices): Outward => {
  const waited = new Map<string, number>()

  const failing =
    (say: Say, gone: "gone" | "lost") =>
    (error: GithubError): SendError => {
      const verdict = verdictOf(error)
      const fail = (to: SendError["verdict"], afterMs = 0, everywhere = false) =>
        new SendError({ verdict: to, afterMs, everywhere, message: sentence(error), cause: error })
      switch (verdict._tag) {
        case "retry":
          return fail("retry", Math.max(verdict.afterMs, lagMs))
        case "limited":
          waited.set(say.turn, (waited.get(say.turn) ?? 0) + verdict.afterMs)
          return fail("retry", verdict.afterMs, true)
        case "refused":
          return fail("retry", 60_000, true)
        case "moved":
          return fail("gone")
        case "gone":
          return fail(error.status === 404 || error.status === 410 ? gone : "gone")
      }
    }

  const repositoryFor = Effect.fnUntraced(function* (say: Say) {
    const { repository: id, number } = addressOf(say.channel)
    const found = yield* Effect.mapError(api.repositories.find(id), failing(say, "gone"))
    if (found === undefined)
      return yield* new SendError({
        verdict: "gone",
        afterMs: 0,
        everywhere: false,
        message: `The App is not installed in the repository of ${say.channel} any more.`,
        cause: null,
      })
    return { repository: found, number }
  })

  const bodyOf = (say: Say) =>
    Effect.map(say.part === 0 ? services.receipts(say.turn) : Effect.succeed(undefined), (receipts) =>
      compose(say, services.agentName(say.agent), receipts, waited.get(say.turn) ?? 0),
    )

  const create = Effect.fnUntraced(function* (say: Say) {
    const { repository, number } = yield* repositoryFor(say)
    const place = yield* placeOf(api, repository, number, say.replyTo).pipe(
      Effect.mapError(failing(say, "gone")),
    )
    const body = yield* bodyOf(say)
    const key = `${say.turn}/${say.part}`
    const since = new Date(madeAt(say.turn) + api.clocks.now() - api.clocks.local() - slack).toISOString()
    const found = yield* place.list(since).pipe(
      Effect.map((all) => all.filter((c) => markOf(c.body)?.key === key).toSorted((a, b) => a.id - b.id)),
      Effect.mapError(failing(say, "gone")),
    )
    const [first, ...others] = found
    for (const { id } of others) yield* Effect.ignore(place.remove(id))
    if (first !== undefined) {
      if (first.body !== body) yield* place.update(first.id, body).pipe(Effect.mapError(failing(say, "gone")))
      return `${place.kind}/${first.id}`
    }
    const wait = api.pace.take(repository.installation)
    if (wait > 0) {
      waited.set(say.turn, (waited.get(say.turn) ?? 0) + wait)
      return yield* new SendError({
        verdict: "retry",
        afterMs: wait,
        everywhere: false,
        message: "GitHub's limit on new comments is reached.",
        cause: null,
      })
    }
    const id = yield* place.create(body).pipe(Effect.mapError(failing(say, "gone")))
    return `${place.kind}/${id}`
  })

  const edit = Effect.fnUntraced(function* (say: Say & { readonly platformId: string }) {
    const { repository, number } = yield* repositoryFor(say)
    const [kind, id] = say.platformId.split("/")
    const place = placeAt(api, repository, number, kind === "review_comment" ? Number(id) : null)
    const body = yield* bodyOf(say)
    if (!say.final && api.pace.left(repository.installation) > 0) return
    yield* place.update(Number(id), body).pipe(Effect.mapError(failing(say, "lost")))
    if (say.final) waited.delete(say.turn)
  })

  return {
    door,
    create,
    edit,
    split: (text) => split(text),
    progressEvery: () => progressEveryMs,
    holdBack: holdBackMs,
  }
}

export const addressOf = (channel: string) => {
  const [repository, number] = channel.split("/")
  return { repository: Number(repository), number: Number(number) }
}

/** Where words stand: below an issue or pull request, or in the thread of a review. */
interface Standing {
  readonly kind: "comment" | "review_comment"
  readonly list: (
    since: string,
  ) => Effect.Effect<ReadonlyArray<{ readonly id: number; readonly body: string }>, GithubError>
  readonly create: (body: string) => Effect.Effect<number, GithubError>
  readonly update: (id: number, body: string) => Effect.Effect<void, GithubError>
  readonly remove: (id: number) => Effect.Effect<void, GithubError>
}

/** A reply to a reply is not taken by GitHub: the thread is that of its first comment. */
const placeOf = Effect.fnUntraced(function* (
  api: GithubApi,
  repository: Repository,
  number: number,
  replyTo: string | null,
) {
  const [kind, id] = replyTo?.split("/") ?? []
  if (kind !== "review_comment") return placeAt(api, repository, number, null)
  const first = yield* api
    .inRepository(
      repository,
      { pull_requests: "read" },
      "GET /repos/{owner}/{repo}/pulls/comments/{comment_id}",
      { comment_id: Number(id) },
    )
    .pipe(
      Effect.map(({ data }) => Number(data.in_reply_to_id ?? data.id)),
      // Somebody deleted it: then below the pull request.
      Effect.catchIf(
        (e) => e.status === 404,
        () => Effect.succeed(null),
      ),
    )
  return placeAt(api, repository, number, first)
})

const placeAt = (api: GithubApi, repository: Repository, number: number, thread: number | null): Standing => {
  const issues = { issues: "write" } as const
  const pulls = { pull_requests: "write" } as const
  return thread === null
    ? {
        kind: "comment",
        list: (since) =>
          allPages((page) =>
            api.inRepository(repository, issues, "GET /repos/{owner}/{repo}/issues/{issue_number}/comments", {
              issue_number: number,
              since,
              per_page: 100,
              page,
            }),
          ),
        create: (body) =>
          api
            .inRepository(repository, issues, "POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
              issue_number: number,
              body,
            })
            .pipe(Effect.map(({ data }) => Number(data.id))),
        update: (comment_id, body) =>
          Effect.asVoid(
            api.inRepository(repository, issues, "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", {
              comment_id,
              body,
            }),
          ),
        remove: (comment_id) =>
          Effect.asVoid(
            api.inRepository(
              repository,
              issues,
              "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}",
              { comment_id },
            ),
          ),
      }
    : {
        kind: "review_comment",
        list: (since) =>
          allPages((page) =>
            api.inRepository(repository, pulls, "GET /repos/{owner}/{repo}/pulls/{pull_number}/comments", {
              pull_number: number,
              since,
              per_page: 100,
              page,
            }),
          ),
        create: (body) =>
          api
            .inRepository(
              repository,
              pulls,
              "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies",
              { pull_number: number, comment_id: thread, body },
            )
            .pipe(Effect.map(({ data }) => Number(data.id))),
        update: (comment_id, body) =>
          Effect.asVoid(
            api.inRepository(repository, pulls, "PATCH /repos/{owner}/{repo}/pulls/comments/{comment_id}", {
              comment_id,
              body,
            }),
          ),
        remove: (comment_id) =>
          Effect.asVoid(
            api.inRepository(repository, pulls, "DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}", {
              comment_id,
            }),
          ),
      }
}

const allPages = Effect.fnUntraced(function* (
  read: (page: number) => Effect.Effect<
    {
      readonly data: ReadonlyArray<{ readonly id: number | bigint; readonly body?: string | null }>
      readonly next: string | null
    },
    GithubError
  >,
) {
  const all: Array<{ readonly id: number; readonly body: string }> = []
  for (let page = 1; ; page++) {
    const { data, next } = yield* read(page)
    all.push(...data.map(({ id, body }) => ({ id: Number(id), body: body ?? "" })))
    if (next === null) return all
  }
})
