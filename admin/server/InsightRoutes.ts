/** The handlers of `InsightApi`. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type { BusError, StoreError } from "../../runtime/index.ts"
import { Api, NotFound, type Refusal } from "../api/index.ts"
import { Insight } from "./insight/Insight.ts"
import { LiveRooms } from "./LiveRooms.ts"
import { unavailable } from "./Unavailable.ts"

type Failure = StoreError | BusError | Refusal

const refusing = (error: Failure): Refusal =>
  error._tag === "StoreError" || error._tag === "BusError" ? unavailable(error) : error
const told = <A, R>(effect: Effect.Effect<A, Failure, R>): Effect.Effect<A, Refusal, R> =>
  Effect.mapError(effect, refusing)

export const layer = HttpApiBuilder.group(
  Api,
  "insight",
  Effect.fnUntraced(function* (handlers) {
    const insight = yield* Insight
    const { status } = yield* LiveRooms
    return handlers.handleAll({
      money: () => told(insight.money),
      bus: () => told(insight.bus),
      newest: Effect.fnUntraced(function* ({ query }) {
        const found = yield* told(insight.newest(query.subject))
        return found ?? (yield* new NotFound({ error: "Nothing is stored under this subject." }))
      }),
      actors: () =>
        Effect.map(insight.actors, ({ actors, handled, crashes, restarts, deadLetters }) => ({
          actors,
          handled,
          crashes,
          restarts,
          deadLetters,
        })),
      sandboxes: () => told(Effect.map(insight.machines.list, (sandboxes) => ({ sandboxes }))),
      files: ({ params, query }) =>
        told(Effect.map(insight.machines.files(params.machine, query.path), (entries) => ({ entries }))),
      file: ({ params, query }) => told(insight.machines.file(params.machine, query.path)),
      checkpoints: ({ params }) => told(insight.machines.kept(params.machine)),
      checkpoint: ({ params, payload }) =>
        told(Effect.map(insight.machines.keep(params.machine, payload.comment), (id) => ({ id }))),
      restore: ({ params }) =>
        told(Effect.as(insight.machines.restore(params.machine, params.id), { restored: true })),
      waiting: () => told(Effect.map(insight.lookup.waiting, (waiting) => ({ waiting }))),
      search: ({ query }) => told(Effect.map(insight.lookup.search(query.q), (found) => ({ found }))),
      cause: ({ params }) => told(Effect.map(insight.lookup.cause(params.message), (causes) => ({ causes }))),
      secrets: () => told(Effect.map(insight.vault.list, (secrets) => ({ secrets }))),
      setSecret: ({ params, payload }) =>
        told(Effect.map(insight.vault.set(params.name, payload.value), (lastFour) => ({ lastFour }))),
      dropSecret: Effect.fnUntraced(function* ({ params }) {
        const removed = yield* told(insight.vault.drop(params.name))
        return removed ? { removed } : yield* new NotFound({ error: "The company has no such secret." })
      }),
      integrations: () => told(Effect.map(insight.doors(status), (integrations) => ({ integrations }))),
    })
  }),
)
