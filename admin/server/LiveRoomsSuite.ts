/** What every layer of `LiveRooms` promises; the layer must have at least one agent on the web door. */
import { expect, layer as withLayer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Event, Inbound, ThreadId } from "../../runtime/index.ts"
import { owner } from "../../integrations/web/index.ts"
import type { RoomSummary } from "../api/index.ts"
import { LiveRooms } from "./LiveRooms.ts"

const said = (rooms: LiveRooms["Service"], room: RoomSummary, id: string, text: string): Inbound => ({
  door: rooms.door,
  externalId: `${room.id}:${id}`,
  raw: { id, text },
  message: {
    channel: room.id,
    title: room.title,
    sourceKey: `web:${id}`,
    author: { door: rooms.door, id: owner.id, name: owner.name, kind: "person" },
    text,
    attachments: [],
    mentions: [],
    direct: false,
  },
})
const words = (events: ReadonlyArray<Event>) =>
  events.flatMap((event) => (event.kind === "message" ? [event.text] : []))

export const suite = <E>(name: string, layer: Layer.Layer<LiveRooms, E>): void =>
  withLayer(layer, { excludeTestServices: true })(`LiveRooms: ${name}`, (it) => {
    it.effect("an opened room is empty, speakable and listed", () =>
      Effect.gen(function* () {
        const rooms = yield* LiveRooms
        const room = yield* rooms.open("Launch")
        expect(room).toMatchObject({ title: "Launch", head: 0, speakable: true, door: rooms.door })
        expect((yield* rooms.list).map(({ id }) => id)).toContain(room.id)
        expect(yield* rooms.find(room.id)).toEqual(room)
        expect(yield* rooms.find("0nowhere" as ThreadId)).toBeNull()
        expect(yield* rooms.events(room.id, 0, 10)).toEqual([])
      }),
    )

    it.effect("the same words are accepted once", () =>
      Effect.gen(function* () {
        const rooms = yield* LiveRooms
        const room = yield* rooms.open("Once")
        const first = yield* rooms.accept(said(rooms, room, "a", "hello"))
        const again = yield* rooms.accept(said(rooms, room, "a", "hello"))
        expect(first).toMatchObject({ duplicate: false })
        expect(again).toMatchObject({ duplicate: true, event: first.event, pos: first.pos })
        expect(words(yield* rooms.events(room.id, 0, 100))).toEqual(["hello"])
      }),
    )

    it.effect("events come in order, from a position, no more than asked for", () =>
      Effect.gen(function* () {
        const rooms = yield* LiveRooms
        const room = yield* rooms.open("Order")
        for (const id of ["1", "2", "3"]) yield* rooms.accept(said(rooms, room, id, id))
        const all = yield* rooms.events(room.id, 0, 100)
        expect(words(all)).toEqual(["1", "2", "3"])
        expect(all.map(({ pos }) => pos)).toEqual(all.map(({ pos }) => pos).toSorted((a, b) => a - b))
        expect(yield* rooms.events(room.id, 0, 1)).toEqual(all.slice(0, 1))
        expect(yield* rooms.events(room.id, all[0]!.pos, 100)).toEqual(all.slice(1))
        const last = all.at(-1)!.pos
        expect(yield* rooms.eventsBefore(room.id, last, 2)).toEqual(all.slice(-3, -1))
        expect(yield* rooms.eventsBefore(room.id, 1, 2)).toEqual([])
      }),
    )

    it.effect("a listener hears what is committed after it began, and nothing after it stopped", () =>
      Effect.gen(function* () {
        const rooms = yield* LiveRooms
        const room = yield* rooms.open("Listen")
        const heard = new Set<string>()
        yield* Effect.gen(function* () {
          yield* rooms.listen(room.id, {
            event: (event) => event.kind === "message" && heard.add(event.text),
            delta: () => undefined,
          })
          yield* rooms.accept(said(rooms, room, "1", "during"))
          yield* Effect.yieldNow.pipe(
            Effect.repeat({ until: () => heard.size > 0 }),
            Effect.timeout("5 seconds"),
          )
        }).pipe(Effect.scoped)
        yield* rooms.accept(said(rooms, room, "2", "after"))
        expect([...heard]).toEqual(["during"])
      }),
    )

    it.effect("agents and status are known, and every message has its reasons", () =>
      Effect.gen(function* () {
        const rooms = yield* LiveRooms
        expect((yield* rooms.members).length).toBeGreaterThan(0)
        expect(typeof (yield* rooms.status).rehearsal).toBe("boolean")
        const room = yield* rooms.open("Why")
        const { event } = yield* rooms.accept(said(rooms, room, "1", "who?"))
        expect((yield* rooms.why(room.id, event!)).length).toBeGreaterThan(0)
      }),
    )
  })
