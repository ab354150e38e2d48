/**
 * Branded ids. Every id that appears in a subject or a URL is our own: 20 characters of lower-case
 * base32 (Crockford), 9 for the millisecond and 11 random, so that ids made later sort later.
 */
import * as Schema from "effect/Schema"
import { randomFillSync } from "node:crypto"

const id = Schema.String.check(Schema.isPattern(/^[0-9a-z]{1,40}$/))

export const WorkspaceId = id.pipe(Schema.brand("WorkspaceId"))
export type WorkspaceId = typeof WorkspaceId.Type
/** A configured integration: one Telegram bot, one GitHub App, the web page. */
export const DoorId = id.pipe(Schema.brand("DoorId"))
export type DoorId = typeof DoorId.Type
/** A room: one chat, forum topic, issue or web room. */
export const ThreadId = id.pipe(Schema.brand("ThreadId"))
export type ThreadId = typeof ThreadId.Type
export const AgentId = id.pipe(Schema.brand("AgentId"))
export type AgentId = typeof AgentId.Type
export const EventId = id.pipe(Schema.brand("EventId"))
export type EventId = typeof EventId.Type
export const TurnId = id.pipe(Schema.brand("TurnId"))
export type TurnId = typeof TurnId.Type
export const BlobId = id.pipe(Schema.brand("BlobId"))
export type BlobId = typeof BlobId.Type
export const ProcessId = id.pipe(Schema.brand("ProcessId"))
export type ProcessId = typeof ProcessId.Type

/** Random bytes are drawn from the system for many ids at once. */
const pool = new Uint8Array(11 * 256)
let drawn = pool.length

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

/** A fresh id at `nowMillis` (from Clock). The brand is the caller's to name: `newId<TurnId>(now)`. */
export const newId = <Id extends string>(nowMillis: number): Id => {
  let text = ""
  let rest = nowMillis
  for (let i = 0; i < 9; i++) {
    text = alphabet[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  if (drawn === pool.length) {
    randomFillSync(pool)
    drawn = 0
  }
  for (const end = drawn + 11; drawn < end; drawn++) text += alphabet[pool[drawn]! & 31]
  return text as Id
}

/** When an id was made, in milliseconds. */
export const madeAt = (id: string): number => {
  let at = 0
  for (const letter of id.slice(0, 9)) at = at * 32 + alphabet.indexOf(letter)
  return at
}
