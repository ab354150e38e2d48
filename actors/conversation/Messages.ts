/** What a conversation actor is told. */
import type * as Exit from "effect/Exit"
import type { EventId, MessageEvent, TurnId } from "../../runtime/index.ts"
import type { Ended } from "./turn/Turn.ts"

/** Words this agent is to answer, or that edit what it is answering. */
export interface Word {
  readonly event: MessageEvent
  readonly slot: string
  readonly reason: string
  readonly ranking: ReadonlyArray<string>
  /** After the statement that filled the decision, never after the turn. */
  readonly ack: () => void
  /** Taking it up failed before: nothing in memory is trusted. */
  readonly again?: boolean
  /** Read from the queue in the journal, not heard now. */
  readonly fromJournal?: boolean
}

export type Message =
  | { readonly type: "word"; readonly word: Word }
  /** A word has waited for a second: it is marked as queued and its delivery acknowledged. */
  | { readonly type: "late"; readonly event: EventId }
  /** The running turn takes in words soon: its tools run. */
  | { readonly type: "boundary" }
  | { readonly type: "ended"; readonly exit: Exit.Exit<Ended, unknown> }
  /** Turns and words of this thread that are not in memory: after adoption. */
  | { readonly type: "resume" }
  /** A committed stop of the turn. */
  | { readonly type: "stop"; readonly turn: TurnId }
