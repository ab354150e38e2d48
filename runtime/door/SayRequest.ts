/**
 * What an outside program sends on `troupe.<ws>.say.<speaker>.<thread>`, and what it is answered. Decoded strictly: what is not
 * meant as a request (a message that was led here by its reply subject) is none.
 */
import * as Schema from "effect/Schema"
import { EventId, ThreadId } from "../room/Id.ts"

const id = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9_.:-]{1,64}$/, { expected: "1 to 64 letters, digits, or one of _ . : -" }),
)
const text = Schema.String.check(
  Schema.isBetweenLength(1, 32_768, { expected: "text of 1 to 32768 characters" }),
)

export const SayRequest = Schema.Struct({
  /** The program's own: the same words under the same id are said once. */
  id,
  /** Markdown; `@name` asks an agent of the room. */
  text,
  /** The message it answers; absent: what asks it longest, else what was said last. */
  replyTo: Schema.optionalKey(Schema.NullOr(EventId)),
})
export type SayRequest = typeof SayRequest.Type

/** On `say.<speaker>.new`: opens a room and says the first words in it. */
export const OpenRequest = Schema.Struct({
  id,
  text,
  title: Schema.Trim.check(Schema.isBetweenLength(1, 120, { expected: "a title of 1 to 120 characters" })),
  /** The name of an integration whose rooms are Troupe's own; absent: the first that the speaker is a member of. */
  door: Schema.optionalKey(Schema.String),
})
export type OpenRequest = typeof OpenRequest.Type

/** After the commit: where the words stand. */
export const Said = Schema.Struct({ event: EventId, pos: Schema.Int, thread: ThreadId })
export type Said = typeof Said.Type

/** Nothing was written; one sentence that says what to do. */
export const Refused = Schema.Struct({ error: Schema.String })

export const SayAnswer = Schema.Union([Said, Refused])
export type SayAnswer = typeof SayAnswer.Type
