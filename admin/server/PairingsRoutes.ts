/** The handlers of `PairingsApi`. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Pairings, type DoorId, type Pairing } from "../../runtime/index.ts"
import { Api, NotFound } from "../api/index.ts"
import { unavailable } from "./Unavailable.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "pairings",
  Effect.fnUntraced(function* (handlers) {
    const pairings = yield* Pairings
    const shown = ({ door, doorName, user, name, state, at }: Pairing) => ({
      door,
      doorName,
      user,
      name,
      state,
      at,
    })
    return handlers.handleAll({
      list: () =>
        Effect.map(pairings.list, (all) => ({ pairings: all.map(shown) })).pipe(Effect.mapError(unavailable)),
      approve: Effect.fnUntraced(function* ({ payload }) {
        const found = yield* pairings.approve(payload.code).pipe(Effect.mapError(unavailable))
        return found === undefined
          ? yield* new NotFound({
              error:
                "Nobody has this code: it is valid for a day and once. They get a new one when they write again.",
            })
          : shown(found)
      }),
      remove: ({ params }) =>
        Effect.map(pairings.remove(params.door as DoorId, params.user), (removed) => ({ removed })).pipe(
          Effect.mapError(unavailable),
        ),
    })
  }),
)
