/**
 * Who is heard. A person in `users` is heard everywhere; in a chat of `chats` everybody is, so that a listed group is
 * trusted as a whole. Identity is the numeric id of the platform, never a name. Closed by default.
 */
import type { Allow } from "./Settings.ts"

export const allows = (allow: Allow, chat: number, user: number): boolean =>
  has(allow.users, user) || (chat !== user && has(allow.chats, chat))

const has = (list: ReadonlyArray<number | "*">, id: number): boolean =>
  list.includes("*") || list.includes(id)
