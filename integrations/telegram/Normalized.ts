/** One update of Telegram as the door works with it: one delivery of ours, and what has to be done around it. */
import type { DoorId, Inbound } from "../../runtime/index.ts"
import type { Question } from "./Commands.ts"
import type { BotName, Member } from "./Mentions.ts"
import type { Allow } from "./Settings.ts"

export interface NormalizeContext {
  readonly door: DoorId
  readonly bot: BotName
  readonly members: ReadonlyArray<Member>
  readonly allow: Allow
}

export interface Normalized {
  readonly updateId: number
  readonly inbound: Inbound
  /** Telegram keeps the order of a chat; so do we. */
  readonly chat: number
  /** Where the bytes of `inbound.message.attachments` can be had, index by index. */
  readonly files: ReadonlyArray<string | null>
  /** The group got a new id. */
  readonly migrated: { readonly from: number; readonly to: number } | null
  /** A person who is not on the allow-list, and what they sent, for the case that they were let in meanwhile. */
  readonly stranger: {
    readonly id: number
    readonly name: string
    readonly direct: boolean
    readonly update: unknown
  } | null
  /** Troupe itself is asked. */
  readonly question: {
    readonly about: Question
    readonly channel: string
    readonly message: string
    readonly replyTo: string | null
  } | null
  /** A stranger took the bot into this group. */
  readonly joined: boolean
  /** The media group it is a part of. */
  readonly album: string | null
  /** A press waits for an answer: `toast`, or what came of it when that is null. */
  readonly press: { readonly id: string; readonly toast: string | null } | null
}

/** A delivery that says nothing. */
export const silent = (
  { door }: NormalizeContext,
  updateId: number,
  chat: number,
  raw: unknown,
): Normalized => ({
  updateId,
  inbound: { door, externalId: String(updateId), raw },
  chat,
  files: [],
  migrated: null,
  stranger: null,
  question: null,
  joined: false,
  album: null,
  press: null,
})

/** What is kept of an update that is not heard: numbers, none of its words. */
export const unheard = (
  updateId: number,
  kind: string,
  chat: number,
  from: number | undefined,
  why: string,
) => ({
  update_id: updateId,
  kind,
  unheard: why,
  chat,
  from: from ?? null,
})

/** The channel of a message: the General topic has no id of its own. */
export const channelOf = (chat: number, thread: number | undefined): string =>
  thread === undefined || thread === 1 ? `${chat}` : `${chat}/${thread}`
