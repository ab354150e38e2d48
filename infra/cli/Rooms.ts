/** Rooms by their id or title, and their logs. */
import * as Effect from "effect/Effect"
import type { Answer } from "../../admin/api/Call.ts"
import type { Event } from "../../runtime/index.ts"
import { call, CliError } from "./Client.ts"

export type Room = Answer<"GET /api/rooms">["rooms"][number]

/** The latest first. */
export const rooms = Effect.map(call("GET /api/rooms"), (a) => a.rooms)

/** `last` is the room where something was last said. */
export const findRoom = Effect.fnUntraced(function* (named: string) {
  const all = yield* rooms
  const byId = all.find((r) => r.id === named)
  if (byId !== undefined) return byId
  const [found, second] = all.filter((r) => r.title.toLowerCase() === named.toLowerCase())
  if (second !== undefined)
    return yield* new CliError({
      message: `More than one room is called "${named}": use its id from \`troupe rooms\`.`,
    })
  const room = found ?? (named === "last" ? all[0] : undefined)
  return room ?? (yield* new CliError({ message: `There is no room "${named}": see \`troupe rooms\`.` }))
})

/** The whole log, page by page. */
export const eventsOf = Effect.fnUntraced(function* (room: Room) {
  const all: Array<Event> = []
  for (;;) {
    const page = yield* call("GET /api/rooms/:id/events", {
      params: { id: room.id },
      query: { after: String(all.at(-1)?.pos ?? 0) },
    })
    all.push(...(page.events as ReadonlyArray<Event>))
    if (!page.more) return all
  }
})

export const members = Effect.map(call("GET /api/agents"), (a) => a.agents)
