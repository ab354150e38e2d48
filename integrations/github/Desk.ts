/**
 * From deliveries to words in rooms. `take` commits a delivery (P1) and returns; what it says is worked out afterwards, in
 * order within a room and beside each other between rooms: who speaks and with what permission, whom they ask, pictures.
 * The words and the end of that work are committed together; until then the delivery is waiting, and is found again after a
 * restart. Trouble with GitHub is repeated until it passes; nothing is dropped for it.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Inbound, StoreError } from "../../runtime/index.ts"
import type { Delivery } from "./Delivery.ts"
import { storedDelivery } from "./Delivery.ts"
import type { GithubError } from "./GithubError.ts"
import { makeHearing, type DeskServices, type HearingOptions, type Words } from "./Hearing.ts"
import type { Payload } from "./Payload.ts"
import { repositoryOf } from "./Repositories.ts"

export type { DeskServices }

export interface Desk {
  readonly take: (delivery: Delivery) => Effect.Effect<void, StoreError>
  /** Takes up what a process before us left. */
  readonly resume: Effect.Effect<void, StoreError>
}

export interface DeskOptions extends HearingOptions {
  readonly trouble: (error: GithubError | StoreError) => Effect.Effect<void>
}

export const makeDesk = Effect.fnUntraced(function* (
  options: DeskOptions,
): Effect.fn.Return<Desk, never, Scope.Scope> {
  const { door, api, services } = options
  const lanes = new Map<string, Array<Delivery>>()
  const known = new Set<string>()
  const scope = yield* Effect.scope
  const wordsOf = makeHearing(options, scope)

  const enqueue = (delivery: Delivery) =>
    Effect.suspend(() => {
      if (delivery.payload === null || known.has(delivery.guid)) return Effect.void
      known.add(delivery.guid)
      const lane = laneOf(delivery.payload)
      const queue = lanes.get(lane)
      if (queue !== undefined) {
        queue.push(delivery)
        return Effect.void
      }
      const opened = [delivery]
      lanes.set(lane, opened)
      return Effect.asVoid(Effect.forkIn(drain(lane, opened), scope))
    })

  const drain = Effect.fnUntraced(function* (lane: string, queue: Array<Delivery>) {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      yield* workOut(next).pipe(
        Effect.tapError(options.trouble),
        Effect.retry({ schedule: patience }),
        Effect.catchCause((cause) => Effect.logError(`A delivery of GitHub could not be read.`, cause)),
      )
      known.delete(next.guid)
      queue.shift()
    }
    lanes.delete(lane)
  })

  const workOut = Effect.fnUntraced(function* ({ guid, payload }: Delivery) {
    if (payload === null) return
    const words: Array<Words> = []
    const { repository: repo, installation } = payload
    if (repo !== undefined && installation !== undefined && installation !== null) {
      const repository = repositoryOf(installation.id, repo)
      api.repositories.remember(repository)
      words.push(...(yield* wordsOf(repository, payload)))
    }
    const batch = words.map(({ message }, i): Inbound => ({
      door,
      externalId: `${guid}/${i}`,
      raw: null,
      message,
    }))
    const done: Inbound = { door, externalId: `${guid}/done`, raw: null }
    const accepted = yield* services.accept([...batch, done])
    for (const [i, { react }] of words.entries())
      if (react !== null && accepted[i]?.duplicate === false)
        yield* Effect.forkIn(Effect.ignore(react), scope)
  })

  return {
    take: (delivery) =>
      services
        .accept([{ door, externalId: delivery.guid, raw: delivery.raw }])
        .pipe(
          Effect.flatMap(([accepted]) => (accepted?.duplicate === true ? Effect.void : enqueue(delivery))),
        ),
    resume: Effect.flatMap(services.waiting, (rows) =>
      Effect.forEach(rows, ({ externalId, raw }) => enqueue(storedDelivery(externalId, raw)), {
        discard: true,
      }),
    ),
  }
})

const patience = Schedule.min([Schedule.exponential("500 millis"), Schedule.spaced("30 seconds")])

/** What happens in one room is worked out in order. */
const laneOf = (payload: Payload): string => `${payload.repository?.id ?? 0}/${numberOf(payload)}`

const numberOf = (payload: Payload): number => {
  if ("issue" in payload) return payload.issue.number
  if ("pull_request" in payload) return payload.pull_request.number
  const check =
    "check_run" in payload
      ? payload.check_run
      : "check_suite" in payload
        ? payload.check_suite
        : payload.workflow_run
  return check.pull_requests?.[0]?.number ?? 0
}
