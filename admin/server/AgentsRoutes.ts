/** The handlers of `AgentsApi`. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api, Conflict } from "../api/index.ts"
import { AgentsDesk } from "./AgentsDesk.ts"
import { LiveRooms } from "./LiveRooms.ts"
import { unavailable } from "./Unavailable.ts"

const fixed = new Conflict({
  error:
    "There is no such agent, its name is taken, or troupe.yaml declares it: change it there, then run `troupe apply`.",
})

export const layer = HttpApiBuilder.group(
  Api,
  "agents",
  Effect.fnUntraced(function* (handlers) {
    const rooms = yield* LiveRooms
    const desk = yield* AgentsDesk
    return handlers.handleAll({
      list: () => Effect.map(rooms.members, (agents) => ({ agents })),
      details: () => Effect.map(desk.details, (agents) => ({ agents })).pipe(Effect.mapError(unavailable)),
      decisions: ({ params }) =>
        Effect.map(desk.decisions(params.id), (decisions) => ({ decisions })).pipe(
          Effect.mapError(unavailable),
        ),
      preview: ({ payload }) => desk.preview(payload),
      add: Effect.fnUntraced(function* ({ payload }) {
        const id = yield* desk.add(payload).pipe(Effect.mapError(unavailable))
        return id === null
          ? yield* new Conflict({
              error: `Somebody is called @${payload.name} already: choose another name.`,
            })
          : { id }
      }),
      change: Effect.fnUntraced(function* ({ params, payload }) {
        const changed = yield* desk.change(params.id, payload).pipe(Effect.mapError(unavailable))
        return changed ? { changed } : yield* fixed
      }),
      remove: Effect.fnUntraced(function* ({ params }) {
        const removed = yield* desk.remove(params.id).pipe(Effect.mapError(unavailable))
        return removed ? { removed } : yield* fixed
      }),
    })
  }),
)
