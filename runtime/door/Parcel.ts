import type { Attachment } from "../room/Event.ts"
import type { AgentId, DoorId, ThreadId, TurnId } from "../room/Id.ts"
import type { Order } from "../room/Order.ts"

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
  /** What can be pressed below the words. */
  readonly actions?: ReadonlyArray<Action> | null
  /** The file that the words come with. */
  readonly file?: Attachment | null
}

export interface Action {
  readonly label: string
  /** What whoever presses it says. */
  readonly order: Order
}
