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
import { accept, type AcceptedRow, type AcceptRow } from "../store/hot/Accept.ts"
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
import { close, expire, type CloseRow, type ExpireRow } from "../store/hot/Expire.ts"
import { order } from "../store/hot/Order.ts"
import {
  remark,
  rest,
  type RemarkedRow,
  type RemarkRow,
  type RestRow,
  type RestedRow,
} from "../store/hot/Rest.ts"
import {
  settleTriage,
  startTriage,
  type TriagedRow,
  type TriageRow,
  type TriagingRow,
} from "../store/hot/Triage.ts"
import { join, queue, type JoinRow, type QueueRow } from "../store/hot/Steer.ts"
import { Sql } from "../store/Sql.ts"
import type { StoreError } from "../store/StoreError.ts"
import { namedIn, slotsOf } from "./Address.ts"
import type { Body, Event, MessageEvent } from "./Event.ts"
import { newId, type EventId, type ThreadId, type TurnId } from "./Id.ts"
import { modeIn, orderIn, orderSlot } from "./Order.ts"
import { Relay } from "./Relay.ts"
import { Roster } from "./Roster.ts"
import { storable, storableText } from "./Storable.ts"

/** Permissions answered and turns resumed by one order, told in the room; more are in the rows. */
const mostToldByAnOrder = 32

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
    /** S8: what came of an order, in one sentence; null when it was carried out before. */
    readonly order: (message: MessageEvent) => Effect.Effect<string | null, StoreError>
    /** S4 and S5. `hold`: it was told to wait. */
    readonly advance: (
      row: WithBodies<AdvanceRow>,
    ) => Effect.Effect<
      { readonly written: boolean; readonly granted: number | null; readonly hold: boolean },
      StoreError
    >
    /** S5r: the turn rests. */
    readonly rest: (row: WithBodies<RestRow>) => Effect.Effect<WithEvents<RestedRow>, StoreError>
    /** S5w: words of a turn that goes on. */
    readonly remark: (row: WithBodies<RemarkRow>) => Effect.Effect<WithEvents<RemarkedRow>, StoreError>
    /** S2t: a step that finds whom open words should ask. */
    readonly startTriage: (row: TriageRow) => Effect.Effect<Omit<TriagingRow, "ord">, StoreError>
    /** Whoever was found hears `message` again, addressed. */
    readonly settleTriage: (
      message: MessageEvent,
      row: WithBodies<TriagedRow>,
    ) => Effect.Effect<void, StoreError>
    /** Permissions of a turn that nobody gave in time: it goes on without. False: it was answered. */
    readonly expire: (row: WithBodies<ExpireRow>) => Effect.Effect<boolean, StoreError>
    /** A slot that nobody can take any more, told to whoever waits for it. */
    readonly close: (row: WithBodies<CloseRow>) => Effect.Effect<void, StoreError>
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
        startTriage: startTriage(sql),
        settleTriage: settleTriage(sql),
        expire: expire(sql),
        close: close(sql),
        advance: advance(sql),
        rest: rest(sql),
        remark: remark(sql),
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
        const own = m.passedOn !== true
        const named = own ? namedIn(m.text, door?.members.map((member) => member.agent) ?? []) : []
        const mentions = [...new Set([...m.mentions, ...named])]
        const given = m.order ?? (own && m.edits === undefined ? orderIn(m.text) : undefined)
        const mode = m.mode ?? (own ? modeIn(m.text) : undefined)
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
            slots:
              given !== undefined ? [orderSlot] : door === undefined ? [] : slotsOf({ ...m, mentions }, door),
            body: {
              kind: "message",
              author: m.author,
              text: redact(m.text),
              mentions,
              attachments: m.attachments,
              root: event,
              hop: 0,
              principal,
              turn: null,
              ...(given === undefined ? {} : { order: given }),
              ...(mode === undefined ? {} : { mode }),
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

      /** Slots that were opened for words that were published already: they are published again, and say whom they ask. */
      const askAgain = (event: MessageEvent, n: number) =>
        relay
          .repair([{ event, n }])
          .pipe(Effect.catch((e) => Effect.logWarning(`asking again is left to the repair: ${e.message}`)))
      const order$ = order(sql)
      const carryOut = Effect.fnUntraced(function* (message: MessageEvent) {
        const { verb, turn, n, dollars } = message.order!
        const ids = Array.from({ length: mostToldByAnOrder }, () => id<EventId>())
        const repairs = (message.repair ?? 0) + 1
        const out = yield* order$({
          ws: roster.ws,
          event: message.id,
          thread: message.thread,
          verb,
          targets: message.mentions,
          person: message.principal,
          turn: turn ?? null,
          n: n ?? null,
          repairs,
          micros: Math.round((dollars ?? 1) * 1_000_000),
          ids,
        })
        relay.offer(
          out.events.map(
            ({ body, ...at }) =>
              ({ ...body, ...at, thread: message.thread, door: message.door }) as unknown as Event,
          ),
        )
        for (const touched of out.stopped)
          bus.tell(controlSubject(roster.ws, "stop"), JSON.stringify(touched))
        for (const touched of out.resumed)
          bus.tell(controlSubject(roster.ws, "resume"), JSON.stringify(touched))
        if (out.asked.length > 0) yield* askAgain({ ...message, slots: out.asked }, repairs)
        return out.reason
      })
      /** An order is carried out at once where it comes in; if that fails, it is due, and repaired like any word (P4). */
      const outcomeOf = (row: AcceptedRow, { door }: Inbound) =>
        row.duplicate || row.body?.["order"] === undefined
          ? Effect.succeed(undefined)
          : carryOut({
              ...row.body,
              id: row.id,
              door,
              thread: row.thread,
              pos: row.pos,
              prev: row.prev,
              at: row.at,
            } as unknown as MessageEvent).pipe(
              Effect.map((reason) => reason ?? undefined),
              Effect.catch((e) =>
                Effect.as(Effect.logWarning(`an order is left to the repair: ${e.message}`), undefined),
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
          return yield* Effect.forEach(rows, (row, i) =>
            Effect.map(outcomeOf(row, batch[i]!), (outcome) => ({
              externalId: batch[i]!.externalId,
              duplicate: row.duplicate,
              event: row.id as EventId | null,
              thread: row.thread,
              pos: row.pos,
              ...(outcome === undefined ? {} : { outcome }),
            })),
          )
        }),
        order: carryOut,
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
        startTriage: lanes.startTriage,
        settleTriage: Effect.fnUntraced(function* (message, row) {
          const events = write(row.events)
          const out = yield* lanes.settleTriage({ ...row, events })
          landed(row, events, out.events)
          if (out.written && row.due.length > 0)
            yield* askAgain({ ...message, slots: row.due.map((d) => d.slot) }, row.n)
        }),
        expire: Effect.fnUntraced(function* (row) {
          const events = write(row.events)
          const out = yield* lanes.expire({ ...row, events })
          landed(row, events, out.events)
          const { turn, agent, thread } = row
          if (out.resumed)
            bus.tell(controlSubject(roster.ws, "resume"), JSON.stringify({ turn, agent, thread }))
          return out.resumed
        }),
        close: Effect.fnUntraced(function* (row) {
          const events = write(row.events)
          const out = yield* lanes.close({ ...row, events })
          landed(row, events, out.events)
        }),
        rest: Effect.fnUntraced(function* (row) {
          const events = write(row.events)
          const out = yield* lanes.rest({ ...row, text: storableText(redact(row.text)), events })
          return { ...out, events: landed(row, events, out.events) }
        }),
        remark: Effect.fnUntraced(function* (row) {
          const events = write(row.events)
          const out = yield* lanes.remark({ ...row, text: storableText(redact(row.text)), events })
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
