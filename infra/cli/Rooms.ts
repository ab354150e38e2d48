/** Rooms by their id or title, and their logs. */
import * as Effect from "effect/Effect"
import type { Event } from "../../runtime/index.ts"
import { call, CliError } from "./Client.ts"

export interface Room {
  readonly id: string
  readonly title: string
  readonly doorName: string
  readonly head: number
  readonly lastAt: string | null
}

/** The latest first. */
export const rooms = Effect.map(call<{ rooms: ReadonlyArray<Room> }>("GET", "/api/rooms"), (a) => a.rooms)

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
    const page = yield* call<{ events: ReadonlyArray<Event>; more: boolean }>(
      "GET",
      `/api/rooms/${room.id}/events?after=${all.at(-1)?.pos ?? 0}`,
    )
    all.push(...page.events)
    if (!page.more) return all
  }
})

interface Member {
  readonly id: string
  readonly name: string
  readonly title: string
  readonly model: string | null
  readonly state: string
}

export const members = Effect.map(
  call<{ agents: ReadonlyArray<Member> }>("GET", "/api/agents"),
  (a) => a.agents,
)
