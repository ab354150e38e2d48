/**
 * What the API needs of the company's rooms: the list, the log, what is live in them, and accepting words. The runtime
 * gives the real layer; `LiveRoomsMemory` is the one for tests.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type {
  Accepted,
  Blob,
  BlobId,
  DoorId,
  Event,
  EventId,
  Inbound,
  Kind,
  ThreadId,
  TurnId,
} from "../../runtime/index.ts"
import type {
  CallDetail,
  Delta,
  MemberSummary,
  RoomSummary,
  Status,
  Unavailable,
  WhyEntry,
} from "../api/index.ts"

export interface Listener {
  readonly event: (event: Event) => void
  readonly delta: (delta: Delta) => void
}

export class LiveRooms extends Context.Service<
  LiveRooms,
  {
    /** The web door itself: the author and the inbox key of what is said on the page. */
    readonly door: DoorId
    readonly list: Effect.Effect<ReadonlyArray<RoomSummary>, Unavailable>
    readonly find: (room: ThreadId) => Effect.Effect<RoomSummary | null, Unavailable>
    readonly open: (title: string) => Effect.Effect<RoomSummary, Unavailable>
    /** At most `limit` events after position `after`, in order. */
    readonly events: (
      room: ThreadId,
      after: number,
      limit: number,
    ) => Effect.Effect<ReadonlyArray<Event>, Unavailable>
    /** The last events before a position, at most `limit`, in order. */
    readonly eventsBefore: (
      room: ThreadId,
      before: number,
      limit: number,
    ) => Effect.Effect<ReadonlyArray<Event>, Unavailable>
    /**
     * Calls the listener for everything that happens in `room` until the scope closes.
     * **Contract:** when the effect returns, the subscription stands; no event committed after that is missed,
     * and callbacks return at once. An event may come twice or out of order: the page goes by `pos`.
     */
    readonly listen: (room: ThreadId, listener: Listener) => Effect.Effect<void, Unavailable, Scope.Scope>
    /** Calls back when something happened in any room, with its kind alone; as `listen` otherwise. */
    readonly listenAll: (
      heard: (room: ThreadId, kind: Kind) => void,
    ) => Effect.Effect<void, Unavailable, Scope.Scope>
    /** What a tool call of a turn was asked and answered; null for a call that nobody knows. */
    readonly call: (turn: TurnId, call: string) => Effect.Effect<CallDetail | null, Unavailable>
    readonly blob: (id: BlobId) => Effect.Effect<Blob | undefined, Unavailable>
    /** Returns after commit (P1); the same words again are a success with `duplicate: true` and the first event. */
    readonly accept: (inbound: Inbound) => Effect.Effect<Accepted, Unavailable>
    /** The agents of the web door. */
    readonly members: Effect.Effect<ReadonlyArray<MemberSummary>, Unavailable>
    readonly why: (room: ThreadId, message: EventId) => Effect.Effect<ReadonlyArray<WhyEntry>, Unavailable>
    /** Stops a running turn: committed when this returns; false when it was not running. */
    readonly stop: (turn: TurnId) => Effect.Effect<boolean, Unavailable>
    readonly status: Effect.Effect<Status>
  }
>()("troupe/admin/LiveRooms") {}
