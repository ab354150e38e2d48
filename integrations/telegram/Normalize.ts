/**
 * One update of Telegram as one delivery of ours. Pure.
 *
 * Speaks: a person on the allow-list, by `from.id`, in a private chat, group or topic; a bot or a channel that is listed by its own
 * number ("*" is for people). Everything else is stored without words and without an answer: strangers (ids only, none of
 * their text), guests, and whoever speaks as a chat (`sender_chat`), because there the numeric id of a person is missing.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { InboundMessage } from "../../runtime/index.ts"
import { allows } from "./AllowList.ts"
import { cleanJson } from "./Clean.ts"
import { questionIn } from "./Commands.ts"
import { describe, filesOf, type Files } from "./Content.ts"
import { mentioned } from "./Mentions.ts"
import { channelOf, silent, unheard, type NormalizeContext, type Normalized } from "./Normalized.ts"
import { normalizePress } from "./Press.ts"
import { decodeMembership, decodeMessage } from "./Update.ts"
import type { Allow } from "./Settings.ts"
import type { Message } from "./Update.ts"
import { forwarded, fullName, oneLine, quoting, throughBot, toMarkdown } from "./Words.ts"

/** Undefined when it is no update at all, that is, has no `update_id`. */
export const normalize = (given: unknown, context: NormalizeContext): Normalized | undefined => {
  if (typeof given !== "object" || given === null || !("update_id" in given)) return undefined
  const update = cleanJson(given) as Readonly<Record<string, unknown>>
  const updateId = update["update_id"]
  if (typeof updateId !== "number" || !Number.isSafeInteger(updateId)) return undefined
  const kind = Object.keys(update).find((key) => key !== "update_id") ?? "nothing"
  const decoded = /(message|post)$/.test(kind) ? decodeMessage(update[kind]) : Option.none()
  if (kind === "callback_query") {
    const press = normalizePress(updateId, update, context)
    if (press !== undefined) return press
  }
  if (kind === "my_chat_member") {
    const membership = Option.getOrUndefined(decodeMembership(update[kind]))
    if (membership !== undefined) {
      const { chat, from, new_chat_member: now } = membership
      const stranger = chat.type !== "private" && !allows(context.allow, chat.id, from.id)
      return { ...silent(context, updateId, chat.id, update), joined: stranger && there.has(now.status) }
    }
  }
  if (Option.isNone(decoded)) return silent(context, updateId, 0, update)
  const message = decoded.value
  const notHeard = (why: string) =>
    silent(
      context,
      updateId,
      message.chat.id,
      unheard(updateId, kind, message.chat.id, message.from?.id, why),
    )
  const { chat } = message
  const migrated =
    message.migrate_to_chat_id !== undefined
      ? { from: chat.id, to: message.migrate_to_chat_id }
      : message.migrate_from_chat_id !== undefined
        ? { from: message.migrate_from_chat_id, to: chat.id }
        : null
  const plain = silent(context, updateId, chat.id, update)
  if (migrated !== null) return { ...plain, migrated }
  const speaker = speakerOf(kind, message, context.allow)
  if (typeof speaker === "string") return notHeard(speaker)
  if (speaker.id === undefined) {
    const stranger = { id: speaker.stranger, name: speaker.name, direct: chat.type === "private", update }
    return { ...notHeard("not on the allow-list"), stranger }
  }
  const edited = kind.startsWith("edited")
  const media = filesOf(message)
  const words = inboundMessage(message, speaker, edited, media, context)
  if (words === undefined) return plain
  const about =
    edited || words.passedOn === true
      ? undefined
      : questionIn(message.text ?? "", message.entities ?? [], context.bot)
  if (about !== undefined) {
    const { channel, replyTo } = words
    const asked = replyTo !== undefined && "platformId" in replyTo ? replyTo.platformId : null
    return { ...plain, question: { about, channel, message: String(message.message_id), replyTo: asked } }
  }
  const album = edited ? null : (message.media_group_id ?? null)
  return { ...plain, inbound: { ...plain.inbound, message: words }, files: media.files, album }
}

interface Speaker {
  readonly id: number
  readonly name: string
  readonly kind: "person" | "bot"
}

/** Who speaks, by the number that Telegram vouches for; a stranger's number; or why there is nobody. */
function speakerOf(
  kind: string,
  { chat, from, sender_chat: as, guest_query_id: guest }: Message,
  allow: Allow,
): Speaker | { readonly id: undefined; readonly stranger: number; readonly name: string } | string {
  if (guest !== undefined) return "guest mode"
  if (kind === "channel_post" || kind === "edited_channel_post")
    return chat.type === "channel" && allow.chats.includes(chat.id)
      ? { id: chat.id, name: oneLine(chat.title ?? "") || String(chat.id), kind: "person" }
      : "a channel that is not listed by its number"
  if (kind !== "message" && kind !== "edited_message") return "not a message of a person"
  if (from === undefined || as !== undefined || chat.type === "channel") return "no person"
  if (from.is_bot === true)
    return allow.users.includes(from.id)
      ? { id: from.id, name: fullName(from), kind: "bot" }
      : "a bot that is not listed by its number"
  return allows(allow, chat.id, from.id)
    ? { id: from.id, name: fullName(from), kind: "person" }
    : { id: undefined, stranger: from.id, name: fullName(from) }
}

/** The bot is in the chat. */
const there = new Set(["member", "administrator", "restricted", "creator"])

/**
 * The same, and a flaw in the reading of one update never costs more than its words: the loop goes on, and Telegram is
 * answered. What was thrown is handed to `flaw`.
 */
export const normalizeSafely = (
  given: unknown,
  context: NormalizeContext,
  flaw: (cause: unknown) => void,
): Normalized | undefined => {
  const result = Result.try(() => normalize(given, context))
  if (Result.isSuccess(result)) return result.success
  flaw(result.failure)
  const updateId = (given as { readonly update_id: number }).update_id
  const raw = { update_id: updateId, unheard: "could not be read" }
  return silent(context, updateId, 0, raw)
}

function inboundMessage(
  message: Message,
  speaker: Speaker,
  edited: boolean,
  media: Files,
  { door, bot, members }: NormalizeContext,
): InboundMessage | undefined {
  const typed = message.text ?? message.caption ?? ""
  const entities = message.entities ?? message.caption_entities ?? []
  const { chat, reply_to_message: replied } = message
  const described = edited ? undefined : describe(message)
  if (typed === "" && media.list.length === 0 && described === undefined) return undefined
  const own = message.forward_origin === undefined && message.via_bot === undefined
  const marked = [described, toMarkdown(typed, entities)].filter(Boolean).join("\n")
  const text =
    message.forward_origin !== undefined
      ? forwarded(message.forward_origin, marked)
      : message.via_bot !== undefined
        ? throughBot(message.via_bot.username ?? "a bot", marked)
        : message.quote !== undefined && (replied?.from?.id === bot.id || replied?.from?.id === speaker.id)
          ? quoting(message.quote.text, marked)
          : marked
  const thread = message.is_topic_message === true ? message.message_thread_id : undefined
  const isReply = replied !== undefined && !(thread !== undefined && replied.message_id === thread)
  return {
    channel: channelOf(chat.id, thread),
    title: title(message, speaker.name),
    sourceKey: `tg:${message.message_id}:${edited ? (message.edit_date ?? 0) : 0}`,
    author: { door, id: String(speaker.id), name: speaker.name, kind: speaker.kind },
    text,
    attachments: media.list,
    mentions: own ? mentioned(typed, entities, members, bot) : [],
    direct: chat.type === "private",
    ...(own ? {} : { passedOn: true }),
    ...(replied !== undefined && isReply
      ? { replyTo: { platformId: String(replied.message_id), sourceKey: `tg:${replied.message_id}:0` } }
      : {}),
    ...(edited ? { edits: `tg:${message.message_id}:0` } : {}),
  }
}

function title({ chat, reply_to_message: replied }: Message, person: string): string {
  const room = oneLine(chat.title ?? person)
  const topic = replied?.forum_topic_created?.name
  return topic === undefined ? room : `${room} / ${oneLine(topic)}`
}
