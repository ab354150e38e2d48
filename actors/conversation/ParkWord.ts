/** P11: gives up a word that could not be taken up, and says so in the room (P8: never silence). */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import {
  agentAt,
  Courier,
  following,
  Journal,
  mostHops,
  newId,
  Roster,
  type EventId,
  type TurnId,
} from "../../runtime/index.ts"
import type { Place } from "./Place.ts"
import type { Word } from "./Messages.ts"

export const parkWord = Effect.fnUntraced(function* (place: Place, { event, slot }: Word) {
  const journal = yield* Journal
  const roster = yield* Roster
  const door = roster.now().doors.get(event.door)
  const agent = roster.now().agents.get(place.agent)
  if (door === undefined || agent === undefined) return
  const now = yield* Clock.currentTimeMillis
  const turn = newId<TurnId>(now)
  const id = newId<EventId>(now)
  const text =
    "I could not take this up: it failed three times, and I leave it here. Say it again in other words, or look at the log of Troupe."
  // Who invited it must not wait for ever.
  const inviter = door.members
    .filter((m) => event.invites === true && m.agent.id === event.author.id && event.hop + 1 < mostHops)
    .map((m) => m.agent.id)
  const signature = door.members.length > 1 ? agent.name : ""
  const parked = yield* journal.park({
    ws: roster.ws,
    event: event.id,
    slot,
    agent: agent.id,
    thread: place.thread,
    door: door.id,
    fence: place.fence,
    turn,
    principal: event.principal,
    root: event.root,
    hop: event.hop,
    reason: "could not be taken up",
    signature: door.platform ? signature : null,
    text,
    due: inviter.map((slot) => ({ event: id, slot })),
    events: [
      {
        id,
        key: `turn:${turn}`,
        body: following(event, agentAt(door, agent), text, { slots: inviter, turn }),
      },
    ],
  })
  if (parked.parcel === null) return
  const courier = yield* Courier
  courier.send({
    ...parked.parcel,
    turn,
    part: 0,
    door: door.id,
    thread: place.thread,
    agent: agent.id,
    signature,
    platformId: null,
    text,
  })
})
