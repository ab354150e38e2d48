/** `LiveRooms` on the runtime: rooms from the store, what is live from the bus, words through the journal. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import {
  Blobs,
  Bus,
  Journal,
  LiveDelta,
  Rooms,
  Roster,
  Sql,
  Subject,
  type AgentId,
  type BusError,
  type Event,
  type Kind,
  type StoreError,
  type ThreadId,
} from "../../runtime/index.ts"
import { type CallDetail, type RoomSummary, type Status } from "../api/index.ts"
import { unavailable } from "./Unavailable.ts"
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
      const everybody = () => [...roster.now().agents.values()]

      const sql = yield* Sql
      const blobs = yield* Blobs
      const summaries = (room: ThreadId | null) =>
        Effect.map(sql.cold<RoomRow>(roomsText, [roster.ws, room]), (rows) =>
          rows.map((row): RoomSummary => ({
            ...row,
            doorName: roster.now().doors.get(row.door)?.name ?? "",
            speakable: row.door === web.id,
          })),
        )
      const find = (room: ThreadId) => Effect.map(summaries(room), (found) => found[0] ?? null)
      const answer = <A, R>(effect: Effect.Effect<A, StoreError | BusError, R>) =>
        Effect.mapError(effect, unavailable)
      return LiveRooms.of({
        door: web.id,
        list: answer(summaries(null)),
        find: (id) => answer(find(id)),
        open: (title) =>
          answer(
            Effect.flatMap(rooms.open(web.id, title), ({ id }) => find(id)).pipe(Effect.map((room) => room!)),
          ),
        call: (turn, call) =>
          answer(Effect.map(sql.cold<Said>(callText, [turn]), (rows) => callIn(rows, call))),
        blob: (id) => answer(blobs.read(id)),
        listenAll: (heard) =>
          answer(
            // troupe.<ws>.thread.<door>.<thread>.<kind>
            bus.listen(Subject.allEvents(roster.ws), (subject) => {
              const parts = subject.split(".")
              heard(parts[4] as ThreadId, parts[5] as Kind)
            }),
          ),
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
            everybody().map((a) => ({
              id: a.id,
              name: a.name,
              title: a.title,
              model: a.model,
              state: working.has(a.id) ? ("working" as const) : ("idle" as const),
            })),
          ),
        ),
        why: (room, message) =>
          answer(
            Effect.map(
              Effect.flatMap(rooms.get(room), (known) =>
                Effect.forEach(
                  (known === undefined ? undefined : roster.now().doors.get(known.door))?.members ?? [],
                  ({ agent }) => Effect.map(rooms.why(message, agent.id), (why) => [agent, why] as const),
                ),
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

type RoomRow = Omit<RoomSummary, "doorName" | "speakable">

/** All rooms, or the one. */
const roomsText = `
select t.id, t.door, t.channel, t.title, t.head,
  case when t.head = 0 then null else to_char(t.last_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') end as "lastAt",
  (select jsonb_build_object('author', e.body->'author'->>'name', 'text', left(e.body->>'text', 160))
     from event e where e.thread = t.id and e.pos = t.said) as last,
  (select coalesce(jsonb_agg(distinct u.agent), '[]') from turn u
     where u.thread = t.id and u.state in ('running', 'waiting')) as working,
  (select count(*)::int from approval a where a.thread = t.id and a.ws = t.ws and a.answer is null) as asks
from thread t where t.ws = $1 and ($2::text is null or t.id = $2) order by t.last_at desc limit 200`

interface Said {
  readonly content: string
}

/** What a turn told the model and heard from it, in order. */
const callText = `
select s.content from transcript s join turn t on t.agent = s.agent and t.thread = s.thread
where t.id = $1 and s.turn = $1 order by s.segment, s.n`

interface Block {
  readonly type: string
  readonly id?: string
  readonly input?: unknown
  readonly tool_use_id?: string
  readonly content?: string | ReadonlyArray<{ readonly type: string; readonly text?: string }>
}

/** The call and its result among the blocks of a turn (P12: each call has its result). */
const callIn = (rows: ReadonlyArray<Said>, call: string): CallDetail | null => {
  const blocks = rows.flatMap(({ content }) => {
    const parsed = JSON.parse(content) as string | ReadonlyArray<Block>
    return typeof parsed === "string" ? [] : parsed
  })
  const use = blocks.find((b) => b.type === "tool_use" && b.id === call)
  const result = blocks.find((b) => b.type === "tool_result" && b.tool_use_id === call)
  if (use === undefined && result === undefined) return null
  const output =
    typeof result?.content === "string"
      ? result.content
      : (result?.content?.map((part) => part.text ?? `[${part.type}]`).join("\n") ?? null)
  return { input: use === undefined ? null : JSON.stringify(use.input, null, 2), output }
}

/** Subjects end in the agent for live words, and the payload does not repeat it. */
const decodeLive = Schema.decodeUnknownOption(Schema.fromJsonString(LiveDelta))
