/**
 * Rooms in memory, behind the same port: for tests and for looking at the page. `Stage` plays the company: it adds
 * events as a runtime would and says deltas. Its listeners are told of everything at once, in order.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  type Body,
  type DoorId,
  type Event,
  type EventId,
  newId,
  type Inbound,
  type Kind,
  type ThreadId,
  type TurnId,
} from "../../runtime/index.ts"
import type { CallDetail, Delta, MemberSummary, RoomSummary, Status, WhyEntry } from "../api/index.ts"
import { type Listener, LiveRooms } from "./LiveRooms.ts"

interface Room {
  summary: RoomSummary
  readonly log: Array<Event>
  readonly listeners: Set<Listener>
  readonly bySource: Map<string, Event>
}

export interface StageOptions {
  readonly members: ReadonlyArray<MemberSummary>
  readonly status: Status
  readonly why?: (message: EventId) => ReadonlyArray<WhyEntry>
  readonly call?: (turn: TurnId, call: string) => CallDetail
}

export class Stage extends Context.Service<
  Stage,
  {
    readonly openRoom: (title: string, from?: Partial<RoomSummary>) => Effect.Effect<RoomSummary>
    /** Adds an event. With `quiet`, no listener hears of it: as when a notification is lost. */
    readonly append: (
      room: ThreadId,
      body: Body,
      options?: { readonly quiet?: boolean; readonly at?: string },
    ) => Effect.Effect<Event>
    readonly delta: (room: ThreadId, delta: Delta) => Effect.Effect<void>
    /** Everything that was accepted, in order. */
    readonly accepted: ReadonlyArray<Inbound>
    readonly listeners: (room: ThreadId) => number
  }
>()("troupe/admin/Stage") {}

const door = "web" as DoorId

export const layer = (options: StageOptions): Layer.Layer<LiveRooms | Stage> =>
  Layer.effectContext(
    Effect.sync(() => {
      const rooms = new Map<string, Room>()
      const accepted: Array<Inbound> = []
      const all = new Set<(room: ThreadId, kind: Kind) => void>()

      const openRoom = Effect.fnUntraced(function* (title: string, from: Partial<RoomSummary> = {}) {
        const id = newId<ThreadId>(yield* Clock.currentTimeMillis)
        const blank = {
          id,
          door,
          channel: id,
          doorName: "web",
          title,
          head: 0,
          lastAt: null,
          speakable: true,
          last: null,
          working: [],
          asks: 0,
        }
        const summary: RoomSummary = { ...blank, ...from }
        rooms.set(summary.id, { summary, log: [], listeners: new Set(), bySource: new Map() })
        return summary
      })

      const append: Stage["Service"]["append"] = Effect.fnUntraced(function* (id, body, how = {}) {
        const room = rooms.get(id)!
        const now = yield* Clock.currentTimeMillis
        const pos = room.log.length + 1
        const at = how.at ?? new Date(now).toISOString()
        const event = {
          id: newId<EventId>(now),
          door: room.summary.door,
          thread: id,
          pos,
          prev: pos - 1,
          at,
          ...body,
        } as Event
        room.log.push(event)
        room.summary = { ...room.summary, head: pos, lastAt: at }
        if (body.kind === "message") {
          room.summary = {
            ...room.summary,
            last: { author: body.author.name, text: body.text.slice(0, 160) },
          }
        }
        if (how.quiet !== true) {
          for (const listener of room.listeners) listener.event(event)
          for (const heard of all) heard(id, event.kind)
        }
        return event
      })

      const accept = Effect.fnUntraced(function* (inbound: Inbound) {
        const { message, externalId } = inbound
        const room = message === undefined ? undefined : rooms.get(message.channel)
        if (message === undefined || room === undefined) {
          return { externalId, duplicate: false, event: null, thread: null, pos: null }
        }
        const known = room.bySource.get(message.sourceKey)
        if (known !== undefined) {
          return { externalId, duplicate: true, event: known.id, thread: known.thread, pos: known.pos }
        }
        accepted.push(inbound)
        const event = yield* append(room.summary.id, {
          kind: "message",
          author: message.author,
          text: message.text,
          mentions: message.mentions,
          attachments: message.attachments,
          replyTo: message.replyTo !== undefined && "event" in message.replyTo ? message.replyTo.event : null,
          edits: null,
          root: "" as EventId,
          hop: 0,
          slots: message.mentions.length > 0 ? message.mentions : ["*"],
          lastLead: null,
          principal: `${message.author.door}:${message.author.id}`,
          turn: null,
        })
        room.bySource.set(message.sourceKey, event)
        return { externalId, duplicate: false, event: event.id, thread: event.thread, pos: event.pos }
      })

      const service = LiveRooms.of({
        door,
        list: Effect.sync(() =>
          [...rooms.values()]
            .map(({ summary }) => summary)
            .sort((a, b) => (b.lastAt ?? "").localeCompare(a.lastAt ?? "")),
        ),
        find: (id) => Effect.sync(() => rooms.get(id)?.summary ?? null),
        open: (title) => openRoom(title),
        events: (id, after, limit) => Effect.sync(() => rooms.get(id)?.log.slice(after, after + limit) ?? []),
        eventsBefore: (id, before, limit) =>
          Effect.sync(() => {
            const log = rooms.get(id)?.log ?? []
            const end = Math.min(Math.max(0, before - 1), log.length)
            return log.slice(Math.max(0, end - limit), end)
          }),
        listen: (id, listener) =>
          Effect.acquireRelease(
            Effect.sync(() => rooms.get(id)?.listeners.add(listener)),
            () => Effect.sync(() => rooms.get(id)?.listeners.delete(listener)),
          ).pipe(Effect.asVoid),
        listenAll: (heard) =>
          Effect.acquireRelease(
            Effect.sync(() => all.add(heard)),
            () => Effect.sync(() => all.delete(heard)),
          ).pipe(Effect.asVoid),
        call: (turn, call) => Effect.sync(() => options.call?.(turn, call) ?? null),
        blob: () => Effect.succeed(undefined),
        accept,
        members: Effect.succeed(options.members),
        why: (_, message) => Effect.sync(() => options.why?.(message) ?? []),
        stop: () => Effect.succeed(false),
        status: Effect.succeed(options.status),
      })
      const stage = Stage.of({
        openRoom,
        append,
        delta: (id, delta) =>
          Effect.sync(() => {
            for (const listener of rooms.get(id)?.listeners ?? []) listener.delta(delta)
          }),
        accepted,
        listeners: (id) => rooms.get(id)?.listeners.size ?? 0,
      })
      return Context.make(LiveRooms, service).pipe(Context.add(Stage, stage))
    }),
  )
