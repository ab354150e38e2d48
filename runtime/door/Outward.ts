/**
 * The outward half of a door: how words get to a platform. Both calls are made by the Courier, which owns
 * the outbox, the order within a channel, retries and flood state; a port only makes one call.
 *
 * P8: `create` says a short placeholder once, its id is committed, from then on only `edit`, which must be
 * idempotent: an edit to the same text is a success.
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Attachment } from "../room/Event.ts"
import type { AgentId, DoorId, TurnId } from "../room/Id.ts"
import type { Action } from "./Parcel.ts"

export interface Outward {
  readonly door: DoorId
  /** Says `text` in `channel`, as an answer to the platform's message `replyTo`; the new message's id. */
  readonly create: (say: Say) => Effect.Effect<string, SendError>
  readonly edit: (say: Say & { readonly platformId: string }) => Effect.Effect<void, SendError>
  /** Cuts a long answer into parts that each fit one message. Pure and deterministic; joined, nothing is lost. */
  readonly split: (text: string) => ReadonlyArray<string>
  /** The least time between two progress edits in `channel`, in milliseconds. */
  readonly progressEvery: (channel: string) => number
  /**
   * Where each message costs its readers something (a mail): how long `create` waits for final words, in milliseconds.
   * Then `create` must itself find what an earlier try said, and bring its words up to date.
   */
  readonly holdBack?: number
  /**
   * What can be pressed is shown as buttons: words are edited once more without them when they are answered, and a running turn
   * carries one that stops it.
   */
  readonly buttons?: true
}

export interface Say {
  readonly channel: string
  readonly replyTo: string | null
  /** Markdown as the agent wrote it. */
  readonly text: string
  /** Shown before the text where several agents speak through one account; empty otherwise. */
  readonly signature: string
  readonly agent: AgentId
  readonly turn: TurnId
  readonly part: number
  /** These are the words that will stand there. */
  readonly final: boolean
  /** What can be pressed below the words, on platforms that have buttons; the words name the same by itself. */
  readonly actions?: ReadonlyArray<Action>
  /** Comes with the words, on platforms that take files: its bytes are its blob. Without a caption the words are its name. */
  readonly file?: Attachment
}

/** `retry`: wait `afterMs`, then the same call again. `gone`: this message can never be said (chat deleted, bot removed). `lost`: the message to edit is gone, say a new one. */
export class SendError extends Schema.TaggedError<SendError>()("SendError", {
  verdict: Schema.Literals(["retry", "gone", "lost"]),
  afterMs: Schema.Number,
  /** The flood limit holds for the whole account, not for this channel alone. */
  everywhere: Schema.Boolean,
  /** The platform asks to slow down. */
  flood: Schema.optionalKey(Schema.Boolean),
  message: Schema.String,
  cause: Schema.Defect(),
}) {}
