/**
 * What was missed while nobody answered: GitHub sends nothing again by itself, but keeps every delivery for three days. At
 * the start and every five minutes the list is read back to the last delivery that we have seen through, and what is not in
 * our inbox is fetched. Payloads that are too big are never sent at all, so new issues and comments are also asked for by time.
 * Both ways end in the same source keys, so nothing is said twice (P1).
 */
import * as Effect from "effect/Effect"
import type { StoreError } from "../../runtime/index.ts"
import type { Delivery } from "./Delivery.ts"
import { deliveryOf } from "./Delivery.ts"
import type { Desk, DeskServices } from "./Desk.ts"
import type { GithubApi } from "./GithubApi.ts"
import { verdictOf, type GithubError } from "./GithubError.ts"
import type { Payload } from "./Payload.ts"
import type { Repository } from "./Repositories.ts"

export interface MissedServices extends Pick<DeskServices, "heard"> {
  /** Which of these deliveries are in the inbox. */
  readonly known: (guids: ReadonlyArray<string>) => Effect.Effect<ReadonlySet<string>, StoreError>
  /** When the last delivery came, in milliseconds by our clock; null: none ever did. */
  readonly lastAt: Effect.Effect<number | null, StoreError>
  /** When the door was made: what was said before is not for us. */
  readonly madeAt: Effect.Effect<number, StoreError>
}

const threeDays = 3 * 86_400_000
/** A delivery may be on its way, and clocks differ. */
const overlap = 10 * 60_000

export interface Missed {
  readonly look: Effect.Effect<void, GithubError | StoreError>
}

export const makeMissed = (api: GithubApi, desk: Desk, services: MissedServices): Missed => {
  /** Everything before it has been seen through. */
  let seen: number | undefined

  const deliveries = Effect.fnUntraced(function* (from: number) {
    const missing: Array<{ readonly id: number; readonly guid: string }> = []
    let cursor: string | undefined
    for (;;) {
      const list = yield* api.asApp("GET /app/hook/deliveries", {
        per_page: 100,
        ...(cursor === undefined ? {} : { cursor }),
      })
      const fresh = list.data.filter((d) => Date.parse(d.delivered_at) >= from)
      const known = yield* services.known(fresh.map((d) => d.guid))
      for (const d of fresh)
        if (!known.has(d.guid) && !missing.some((m) => m.guid === d.guid))
          missing.push({ id: Number(d.id), guid: d.guid })
      cursor = /[?&]cursor=([^&]+)/.exec(list.next ?? "")?.[1]
      if (cursor === undefined || fresh.length < list.data.length) break
    }
    // Oldest first, as they would have come.
    for (const { id, guid } of missing.toReversed()) {
      const { data } = yield* api.asApp("GET /app/hook/deliveries/{delivery_id}", { delivery_id: id })
      const delivery = deliveryOf(guid, data.event, data.request.payload)
      if (delivery !== undefined) yield* desk.take(delivery)
    }
    return missing.length
  })

  const look = Effect.gen(function* () {
    const now = api.clocks.now()
    if (seen === undefined) {
      const offset = now - api.clocks.local()
      const last = ((yield* services.lastAt) ?? 0) - overlap
      seen = Math.max(last + offset, (yield* services.madeAt) + offset, now - threeDays)
    }
    const found = yield* deliveries(seen)
    if (found > 0) yield* Effect.logInfo(`Fetched ${found} deliveries of GitHub that had not come.`)
    yield* api.repositories.refresh
    for (const repository of api.repositories.all()) yield* since(repository, seen)
    seen = now - overlap
  })

  /** A repository that was deleted or taken from us meanwhile stops nothing. */
  const since = (repository: Repository, from: number) =>
    Effect.catchIf(
      byTime(repository, new Date(from).toISOString()),
      (e) => e._tag === "GithubError" && ["gone", "moved"].includes(verdictOf(e)._tag),
      (e) => Effect.logDebug(`${repository.fullName} was not looked through: ${e.message}`),
    )

  const byTime = Effect.fnUntraced(function* (repository: Repository, at: string) {
    const shared = {
      repository: { id: repository.id, full_name: repository.fullName, private: repository.private },
      installation: { id: repository.installation },
    }
    const rooms = new Map<number, Extract<Payload, { event: "issues" }>["issue"]>()
    for (let page = 1; ; page++) {
      const list = yield* api.inRepository(
        repository,
        { issues: "read", pull_requests: "read" },
        "GET /repos/{owner}/{repo}/issues",
        { since: at, state: "all", sort: "updated", direction: "asc", per_page: 100, page },
      )
      for (const issue of list.data) {
        const delivery = deliveryOf(`opened-${Number(issue.id)}`, "issues", {
          action: "opened",
          ...shared,
          issue,
        })
        if (delivery?.payload?.event !== "issues") continue
        rooms.set(issue.number, delivery.payload.issue)
        // Older ones changed only, and how is not told.
        if (Date.parse(issue.created_at) < Date.parse(at)) continue
        const key = `gh:opening:${issue.number}:${issue.created_at}`
        yield* takeNew(delivery, `${repository.id}/${issue.number}`, key)
      }
      if (list.next === null) break
    }
    for (let page = 1; ; page++) {
      const list = yield* api.inRepository(
        repository,
        { issues: "read", pull_requests: "read" },
        "GET /repos/{owner}/{repo}/issues/comments",
        { since: at, sort: "updated", direction: "asc", per_page: 100, page },
      )
      for (const comment of list.data) {
        const room = rooms.get(Number(/(\d+)$/.exec(comment.issue_url)?.[1]))
        if (room === undefined) continue
        const guid = `comment-${Number(comment.id)}-${Date.parse(comment.updated_at)}`
        const delivery = deliveryOf(guid, "issue_comment", {
          action: "created",
          ...shared,
          issue: room,
          comment,
        })
        const key = `gh:comment:${Number(comment.id)}:${comment.updated_at}`
        if (delivery !== undefined) yield* takeNew(delivery, `${repository.id}/${room.number}`, key)
      }
      if (list.next === null) break
    }
  })

  const takeNew = (delivery: Delivery, channel: string, sourceKey: string) =>
    Effect.gen(function* () {
      if (yield* services.heard(channel, sourceKey)) return
      const known = yield* services.known([delivery.guid])
      if (!known.has(delivery.guid)) yield* desk.take(delivery)
    })

  return { look }
}
