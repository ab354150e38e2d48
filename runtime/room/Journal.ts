/**
 * The one pen of the room: every statement of the hot path, and the hand-over of what it wrote to the relay. A method is
 * one statement (P1-P10 are in the statements, see store/hot); when it returns, it has committed, and its events are on
 * their way to the bus. Known secrets are taken out of every event before it is written.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Bus } from "../bus/Bus.ts"
import { controlSubject } from "../bus/Subject.ts"
import type { Accepted, Inbound } from "../door/Inbound.ts"
import { Redaction } from "../secrets/Redaction.ts"
import { accept, type AcceptRow } from "../store/hot/Accept.ts"
import { advance, type AdvanceRow } from "../store/hot/Advance.ts"
import type { Landed, NewEvent } from "../store/hot/Append.ts"
import { begin, type BeginRow, type Address, type BegunRow } from "../store/hot/Begin.ts"
import {
  delivered,
  parts,
  said,
  type DeliveredRow,
  type PartRow,
  type SaidRow,
} from "../store/hot/Deliver.ts"
import { finish, type FinishRow, type FinishedRow } from "../store/hot/Finish.ts"
import { park, stop, type ParkRow, type ParkedRow } from "../store/hot/Park.ts"
import { speak, unanswered, type SpeakRow, type SpokenRow, type UnansweredRow } from "../store/hot/Speak.ts"
import { join, queue, type JoinRow, type QueueRow } from "../store/hot/Steer.ts"
import { Sql } from "../store/Sql.ts"
import type { StoreError } from "../store/StoreError.ts"
import { slotsOf } from "./Address.ts"
import type { Body, Event } from "./Event.ts"
import { newId, type EventId, type ThreadId, type TurnId } from "./Id.ts"
import { Relay } from "./Relay.ts"
import { Roster } from "./Roster.ts"
import { storable, storableText } from "./Storable.ts"

/** A statement's row with its events as bodies; ids are given here, unless the caller has to know one. */
type WithBodies<Row> = Omit<Row, "events"> & { readonly events: ReadonlyArray<Said> }
export interface Said {
  readonly body: Body
  readonly id?: EventId
  /** What it is known by, so that it is said once in its thread. */
  readonly key?: string
}
/** A statement's answer with its events as they now stand in the log. */
type WithEvents<Row> = Omit<Row, "events" | "ord"> & { readonly events: ReadonlyArray<Event> }

export class Journal extends Context.Service<
  Journal,
  {
    /** S1. One statement for the batch; the door tells its platform after this returns. */
    readonly accept: (batch: ReadonlyArray<Inbound>) => Effect.Effect<ReadonlyArray<Accepted>, StoreError>
    /** S2. */
    readonly begin: (row: WithBodies<BeginRow>) => Effect.Effect<WithEvents<BegunRow>, StoreError>
    /** S2j. */
    readonly join: (row: WithBodies<JoinRow>) => Effect.Effect<boolean, StoreError>
    /** S2q. */
    readonly queue: (row: QueueRow) => Effect.Effect<boolean, StoreError>
    /** S4 and S5. */
    readonly advance: (
      row: WithBodies<AdvanceRow>,
    ) => Effect.Effect<{ readonly written: boolean; readonly granted: number | null }, StoreError>
    /** S6. */
    readonly finish: (row: WithBodies<FinishRow>) => Effect.Effect<WithEvents<FinishedRow>, StoreError>
    /**
     * Stops a turn: from this commit on nothing of it is written but its end, and whoever runs it is told at once. False:
     * there was nothing to stop.
     */
    readonly stop: (turn: TurnId) => Effect.Effect<boolean, StoreError>
    /** Gives up a word that could not be taken up, and tells the room. */
    readonly park: (row: WithBodies<ParkRow>) => Effect.Effect<WithEvents<ParkedRow>, StoreError>
    /** What an outside agent says; `duplicate`: it had said it already. */
    readonly speak: (
      row: Omit<WithBodies<SpeakRow>, "events"> & { readonly events: readonly [words: Said, intent: Said] },
    ) => Effect.Effect<WithEvents<SpokenRow>, StoreError>
    /** Gives up an outside agent's slot, and tells the room. Nothing was given up where no event comes back. */
    readonly unanswered: (
      row: WithBodies<UnansweredRow>,
    ) => Effect.Effect<{ readonly parcel: Address | null; readonly events: ReadonlyArray<Event> }, StoreError>
    /** S3: whether it was written, and the final words when they are there already. */
    readonly said: (
      row: SaidRow,
    ) => Effect.Effect<{ readonly written: boolean; readonly text: string | null }, StoreError>
    readonly parts: (rows: ReadonlyArray<PartRow>) => Effect.Effect<void, StoreError>
    /** S7. */
    readonly delivered: (row: WithBodies<DeliveredRow>) => Effect.Effect<boolean, StoreError>
  }
>()("troupe/room/Journal") {
  static readonly layer = Layer.effect(
    Journal,
    Effect.gen(function* () {
      const sql = yield* Sql
      const relay = yield* Relay
      const roster = yield* Roster
      const bus = yield* Bus
      const { redact, redactJson } = yield* Redaction
      const clock = yield* Clock.Clock
      const id = <I extends string>() => newId<I>(clock.currentTimeMillisUnsafe())

      const lanes = {
        accept: accept(sql),
        begin: begin(sql),
        join: join(sql),
        queue: queue(sql),
        advance: advance(sql),
        finish: finish(sql),
        stop: stop(sql),
        park: park(sql),
        speak: speak(sql),
        unanswered: unanswered(sql),
        said: said(sql),
        parts: parts(sql),
        delivered: delivered(sql),
      }

      const write = (events: ReadonlyArray<Said>): ReadonlyArray<NewEvent & { readonly body: Body }> =>
        events.map((e) => ({
          id: e.id ?? id(),
          kind: e.body.kind,
          ...(e.key === undefined ? {} : { key: e.key }),
          body: storable(redactJson(e.body)),
        }))
      /** The events as they stand in the log, handed to the relay. */
      const landed = (
        row: { readonly thread: string; readonly door: string },
        written: ReadonlyArray<NewEvent & { readonly body: Body }>,
        at: ReadonlyArray<Landed>,
      ): ReadonlyArray<Event> => {
        const places = new Map(at.map((l) => [l.id, l]))
        const events = written.flatMap((w) => {
          const place = places.get(w.id)
          return place === undefined
            ? []
            : [{ ...w.body, ...place, thread: row.thread, door: row.door } as Event]
        })
        relay.offer(events)
        return events
      }
      const toRow = (inbound: Inbound): AcceptRow => {
        const m = inbound.message
        const base = { ws: roster.ws, door: inbound.door, external_id: inbound.externalId, raw: inbound.raw }
        if (m === undefined) return { ...base, message: null }
        const door = roster.now().doors.get(inbound.door)
        const event = id<EventId>()
        const principal = `${m.author.door}:${m.author.id}`
        return {
          ...base,
          message: {
            thread: id<ThreadId>(),
            channel: m.channel,
            title: m.title,
            id: event,
            key: m.sourceKey,
            person: principal,
            edits: m.edits ?? null,
            reply_platform:
              m.replyTo !== undefined && "platformId" in m.replyTo ? m.replyTo.platformId : null,
            reply_key: m.replyTo !== undefined && "sourceKey" in m.replyTo ? m.replyTo.sourceKey : null,
            reply_event: m.replyTo !== undefined && "event" in m.replyTo ? m.replyTo.event : null,
            slots: door === undefined ? [] : slotsOf(m, door),
            body: {
              kind: "message",
              author: m.author,
              text: redact(m.text),
              mentions: m.mentions,
              attachments: m.attachments,
              root: event,
              hop: 0,
              principal,
              turn: null,
            },
          },
        }
      }

      /** A delivery that Postgres can never store as it is must not block its channel: its number is kept, and the reason. */
      const unstorable = (inbound: Inbound) => (error: StoreError) =>
        error.kind === "unavailable"
          ? Effect.fail(error)
          : Effect.logError(`A delivery could not be stored: ${error.message}`).pipe(
              Effect.andThen(
                lanes.accept({
                  ws: roster.ws,
                  door: inbound.door,
                  external_id: inbound.externalId,
                  raw: { unstorable: error.message },
                  message: null,
                }),
              ),
            )

      return Journal.of({
        accept: Effect.fnUntraced(function* (batch) {
          const answers = lanes.accept.all(batch.map(toRow))
          const rows = yield* Effect.forEach(answers, (answer, i) =>
            Effect.catch(answer, unstorable(batch[i]!)),
          )
          relay.offer(
            rows.flatMap((row, i) =>
              row.body === null || row.duplicate
                ? []
                : [
                    {
                      ...row.body,
                      id: row.id,
                      door: batch[i]!.door,
                      thread: row.thread,
                      pos: row.pos,
                      prev: row.prev,
                      at: row.at,
                    } as unknown as Event,
                  ],
            ),
          )
          return rows.map((row, i) => ({
            externalId: batch[i]!.externalId,
            duplicate: row.duplicate,
            event: row.id as EventId | null,
            thread: row.thread,
            pos: row.pos,
          }))
        }),
        begin: Effect.fnUntraced(function* (row) {
          const events = write(row.events)
          const out = yield* lanes.begin({ ...row, events })
          return { ...out, events: landed(row, events, out.events) }
        }),
        join: Effect.fnUntraced(function* (row) {
          const events = write(row.events)
          const out = yield* lanes.join({ ...row, events })
          landed(row, events, out.events)
          return out.joined
        }),
        queue: (row) => Effect.map(lanes.queue(row), (out) => out.queued),
        advance: Effect.fnUntraced(function* (row) {
          const events = write(row.events)
          const out = yield* lanes.advance({ ...row, events })
          landed(row, events, out.events)
          return out
        }),
        finish: Effect.fnUntraced(function* (row) {
          const events = write(row.events)
          const out = yield* lanes.finish({
            ...row,
            text: storableText(redact(row.text)),
            events,
          })
          return { ...out, events: landed(row, events, out.events) }
        }),
        stop: Effect.fnUntraced(function* (turn) {
          const { agent, thread } = yield* lanes.stop({ turn })
          if (agent === null) return false
          bus.tell(controlSubject(roster.ws, "stop"), JSON.stringify({ agent, thread, turn }))
          return true
        }),
        park: Effect.fnUntraced(function* (row) {
          const events = write(row.events)
          const out = yield* lanes.park({ ...row, text: storableText(redact(row.text)), events })
          return { ...out, events: landed(row, events, out.events) }
        }),
        speak: Effect.fnUntraced(function* (row) {
          const [words, intent] = write(row.events)
          const out = yield* lanes.speak({
            ...row,
            raw: storable(redactJson(row.raw)),
            text: storableText(redact(row.text)),
            events: [words!, intent!],
          })
          return { ...out, events: landed(row, [words!, intent!], out.events) }
        }),
        unanswered: Effect.fnUntraced(function* (row) {
          const events = write(row.events)
          const out = yield* lanes.unanswered({ ...row, events })
          return { ...out, events: landed(row, events, out.events) }
        }),
        said: lanes.said,
        parts: (rows) => Effect.forEach(rows, lanes.parts, { concurrency: "unbounded", discard: true }),
        delivered: Effect.fnUntraced(function* (row) {
          const events = write(row.events)
          const out = yield* lanes.delivered({ ...row, events })
          landed(row, events, out.events)
          return out.written
        }),
      })
    }),
  )
}
