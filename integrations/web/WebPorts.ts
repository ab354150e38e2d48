/**
 * What the web door needs of the company: rooms, their log, what is live in them, and accepting words. The runtime
 * gives the real layer; `WebRoomsMemory` is the one for tests.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import {
  type Accepted,
  AgentId,
  DoorId,
  type Event,
  type EventId,
  type Inbound,
  ThreadId,
  TurnId,
} from "../../runtime/index.ts"
import type { ApiError } from "./WebError.ts"

export const RoomSummary = Schema.Struct({
  id: ThreadId,
  door: DoorId,
  /** The integration's name: `web`, `team-chat`. */
  doorName: Schema.String,
  title: Schema.String,
  /** The last position; 0 in an empty room. */
  head: Schema.Int,
  /** When something was last said, as ISO 8601. */
  lastAt: Schema.NullOr(Schema.String),
  /** People may speak here from the page: true for rooms of the web door. */
  speakable: Schema.Boolean,
})
export type RoomSummary = typeof RoomSummary.Type

export const MemberSummary = Schema.Struct({
  id: AgentId,
  /** The handle, without @. */
  name: Schema.String,
  title: Schema.String,
  model: Schema.NullOr(Schema.String),
  state: Schema.Literals(["idle", "working", "parked"]),
})
export type MemberSummary = typeof MemberSummary.Type

/** A piece of an agent's words as the model says them; never stored. `n` counts pieces of one (turn, fence) from 0. */
export const Delta = Schema.Struct({
  turn: TurnId,
  agent: AgentId,
  fence: Schema.Int,
  n: Schema.Int,
  text: Schema.String,
})
export type Delta = typeof Delta.Type

/** What one agent did with one message, and why (P4: total). */
export const WhyEntry = Schema.Struct({
  agent: AgentId,
  name: Schema.String,
  verdict: Schema.Literals(["lead", "queued", "joined", "pass", "parked", "due"]),
  reason: Schema.String,
})
export type WhyEntry = typeof WhyEntry.Type

export const Status = Schema.Struct({
  /** No model key: answers come from simple rules, and the page says so. */
  rehearsal: Schema.Boolean,
  /** What runs where, for people: `{ name: "Postgres", where: "embedded, 18.4" }`. */
  parts: Schema.Array(Schema.Struct({ name: Schema.String, where: Schema.String })),
  integrations: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      type: Schema.String,
      state: Schema.Literals(["connected", "connecting", "failed"]),
      detail: Schema.NullOr(Schema.String),
    }),
  ),
})
export type Status = typeof Status.Type

export interface Listener {
  readonly event: (event: Event) => void
  readonly delta: (delta: Delta) => void
}

export class WebRooms extends Context.Service<
  WebRooms,
  {
    /** The web door itself: the author and the inbox key of what is said on the page. */
    readonly door: DoorId
    readonly list: Effect.Effect<ReadonlyArray<RoomSummary>, ApiError>
    readonly find: (room: ThreadId) => Effect.Effect<RoomSummary | null, ApiError>
    readonly open: (title: string) => Effect.Effect<RoomSummary, ApiError>
    /** At most `limit` events after position `after`, in order. */
    readonly events: (
      room: ThreadId,
      after: number,
      limit: number,
    ) => Effect.Effect<ReadonlyArray<Event>, ApiError>
    /**
     * Calls the listener for everything that happens in `room` until the scope closes.
     * **Contract:** when the effect returns, the subscription stands; no event committed after that is missed,
     * and callbacks return at once. An event may come twice or out of order: the page goes by `pos`.
     */
    readonly listen: (room: ThreadId, listener: Listener) => Effect.Effect<void, ApiError, Scope.Scope>
    /** Returns after commit (P1); the same words again are a success with `duplicate: true` and the first event. */
    readonly accept: (inbound: Inbound) => Effect.Effect<Accepted, ApiError>
    /** The agents of the web door. */
    readonly members: Effect.Effect<ReadonlyArray<MemberSummary>, ApiError>
    readonly why: (room: ThreadId, message: EventId) => Effect.Effect<ReadonlyArray<WhyEntry>, ApiError>
    /** Stops a running turn: committed when this returns; false when it was not running. */
    readonly stop: (turn: TurnId) => Effect.Effect<boolean, ApiError>
    readonly status: Effect.Effect<Status>
  }
>()("troupe/web/WebRooms") {}
