/** The handlers of `AgentsApi`. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "../api/index.ts"
import { LiveRooms } from "./LiveRooms.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "agents",
  Effect.fnUntraced(function* (handlers) {
    const rooms = yield* LiveRooms
    return handlers.handleAll({ list: () => Effect.map(rooms.members, (agents) => ({ agents })) })
  }),
)
