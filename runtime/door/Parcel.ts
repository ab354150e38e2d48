import type { AgentId, DoorId, ThreadId, TurnId } from "../room/Id.ts"

/** An outbox row as the courier knows it. */
export interface Parcel {
  readonly turn: TurnId
  readonly part: number
  readonly door: DoorId
  readonly thread: ThreadId
  readonly agent: AgentId
  readonly channel: string
  readonly replyTo: string | null
  readonly signature: string
  readonly platformId: string | null
  /** The final words; null while the turn runs. */
  readonly text: string | null
}
