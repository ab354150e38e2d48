/** `LiveRooms` on the runtime: rooms from the store, what is live from the bus, words through the journal. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import {
  Bus,
  Journal,
  LiveDelta,
  Rooms,
  Roster,
  Subject,
  type AgentId,
  type BusError,
  type Event,
  type Room,
  type StoreError,
  type ThreadId,
} from "../../runtime/index.ts"
import { type RoomSummary, type Status, Unavailable } from "../api/index.ts"
import { LiveRooms } from "./LiveRooms.ts"

export interface LiveRoomsOptions {
  /** The name of the web integration. */
  readonly door: string
  readonly status: Effect.Effect<Status>
}

export const layer = (options: LiveRoomsOptions) =>
  Layer.effect(
    LiveRooms,
    Effect.gen(function* () {
      const rooms = yield* Rooms
      const roster = yield* Roster
      const journal = yield* Journal
      const bus = yield* Bus
      const web = [...roster.now().doors.values()].find((d) => d.name === options.door)!
      const members = () =>
        roster
          .now()
          .doors.get(web.id)
          ?.members.map((m) => m.agent) ?? []

      const summary = (room: Room): RoomSummary => ({
        id: room.id,
        door: room.door,
        doorName: roster.now().doors.get(room.door)?.name ?? "",
        title: room.title,
        head: room.head,
        lastAt: room.head === 0 ? null : room.lastAt,
        speakable: room.door === web.id,
      })
      const answer = <A, R>(effect: Effect.Effect<A, StoreError | BusError, R>) =>
        Effect.mapError(effect, unavailable)
      return LiveRooms.of({
        door: web.id,
        list: answer(Effect.map(rooms.list, (all) => all.map(summary))),
        find: (id) =>
          answer(Effect.map(rooms.get(id), (room) => (room === undefined ? null : summary(room)))),
        open: (title) => answer(Effect.map(rooms.open(web.id, title), summary)),
        events: (room, after, limit) => answer(rooms.events(room, after, limit)),
        eventsBefore: (room, before, limit) =>
          answer(rooms.events(room, Math.max(0, before - 1 - limit), Math.min(limit, before - 1))),
        listen: (room: ThreadId, listener) =>
          answer(
            Effect.andThen(
              bus.listen(Subject.everythingIn(roster.ws, room), (_, payload) =>
                listener.event(JSON.parse(payload) as Event),
              ),
              bus.listen(Subject.liveOf(roster.ws, room), (subject, payload) => {
                const delta = decodeLive(payload)
                // NATS can be led to deliver something else here: it is no agent's words.
                if (Option.isSome(delta))
                  listener.delta({
                    ...delta.value,
                    agent: subject.slice(subject.lastIndexOf(".") + 1) as AgentId,
                  })
              }),
            ),
          ),
        accept: (inbound) => answer(Effect.map(journal.accept([inbound]), ([accepted]) => accepted!)),
        members: answer(
          Effect.map(rooms.working, (working) =>
            members().map((a) => ({
              id: a.id,
              name: a.name,
              title: a.title,
              model: a.model,
              state: working.has(a.id) ? ("working" as const) : ("idle" as const),
            })),
          ),
        ),
        why: (_, message) =>
          answer(
            Effect.map(
              Effect.forEach(members(), (a) =>
                Effect.map(rooms.why(message, a.id), (why) => [a, why] as const),
              ),
              (all) =>
                all.flatMap(([a, why]) =>
                  why === undefined
                    ? []
                    : [{ agent: a.id, name: a.name, verdict: why.verdict, reason: why.reason }],
                ),
            ),
          ),
        stop: (turn) => answer(journal.stop(turn)),
        status: options.status,
      })
    }),
  )

/** The store or the bus is away: what a person reads of it. */
export /** Subjects end in the agent for live words, and the payload does not repeat it. */
const decodeLive = Schema.decodeUnknownOption(Schema.fromJsonString(LiveDelta))

const unavailable = (error: StoreError | BusError) =>
  new Unavailable({
    error:
      error._tag === "BusError"
        ? "The message bus does not answer; try again in a moment."
        : "The database does not answer; try again in a moment. Nothing was lost.",
  })
