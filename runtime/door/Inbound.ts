/**
 * What a door hands to the room: one delivery of the outside platform, verified and normalized.
 * `Room.accept` stores it (P1) in the same statement that gives it its position (P2) and writes
 * the decisions that are due (P4). Only when that statement has committed may the door tell the platform.
 */
import type { Attachment, Author } from "../room/Event.ts"
import type { AgentId, DoorId, EventId } from "../room/Id.ts"
import type { Mode, Order } from "../room/Order.ts"

export interface Inbound {
  readonly door: DoorId
  /** The platform's own id of this delivery: deduplicated by (door, externalId), kept for 8 days and more. */
  readonly externalId: string
  /** The raw delivery as JSON, kept with the inbox row so that an unknown kind is never lost. */
  readonly raw: unknown
  /** Absent for deliveries that say nothing (unknown update types, reactions). */
  readonly message?: InboundMessage
}

export interface InboundMessage {
  /** The platform's address of the room: `<chat id>` or `<chat id>/<topic id>`; a web room's id. */
  readonly channel: string
  /** The name of the room for people; kept up to date, never an identity. */
  readonly title: string
  /** Words are deduplicated by (thread, sourceKey): `tg:<message id>:<edit date or 0>`, `web:<client id>`. */
  readonly sourceKey: string
  readonly author: Author
  readonly text: string
  readonly attachments: ReadonlyArray<Attachment>
  /** Agents named by the words, found by the door in its own platform's way (entities, commands). */
  readonly mentions: ReadonlyArray<AgentId>
  /** A direct chat: everybody in the room is addressed when there is one agent, else the first. */
  readonly direct: boolean
  /** The message it answers: the platform's id and source key (an agent's words or a person's), or our event. */
  readonly replyTo?: { readonly platformId: string; readonly sourceKey: string } | { readonly event: EventId }
  /** For an edit: the source key of the words it replaces (`tg:<message id>:0`). */
  readonly edits?: string
  /** Somebody else's words that the author passes on: they name nobody and order nothing. */
  readonly passedOn?: boolean
  /** A button that was pressed. Words that are an order are found by the room itself. */
  readonly order?: Order
  /** How the words reach an agent at work, where the platform has its own way to say so. */
  readonly mode?: Mode
}

export interface Accepted {
  readonly externalId: string
  /** True when this delivery or its words were known already: nothing was written. */
  readonly duplicate: boolean
  readonly event: EventId | null
  readonly thread: string | null
  readonly pos: number | null
  /** What came of an order, in one sentence for the person who gave it. */
  readonly outcome?: string
}
