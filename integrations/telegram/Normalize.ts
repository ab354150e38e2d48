/**
 * One update of Telegram as one delivery of ours. Pure.
 *
 * Speaks: a person on the allow-list, by `from.id`, in a private chat, group or topic. Everything else is stored without
 * words and without an answer: strangers (ids only, none of their text), bots, guests, channel posts, and whoever
 * speaks as a chat (`sender_chat`), because there the numeric id of a person is missing.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Attachment, InboundMessage } from "../../runtime/index.ts"
import { allows } from "./AllowList.ts"
import { cleanJson } from "./Clean.ts"
import { mentioned } from "./Mentions.ts"
import { channelOf, silent, unheard, type NormalizeContext, type Normalized } from "./Normalized.ts"
import { normalizePress } from "./Press.ts"
import { decodeMessage } from "./Update.ts"
import type { Media, Message } from "./Update.ts"
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
    const press = normalizePress(updateId, update[kind], context)
    if (press !== undefined) return press
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
  if (kind !== "message" && kind !== "edited_message") return notHeard("not a message of a person")
  const { chat, from } = message
  const migrated =
    message.migrate_to_chat_id !== undefined
      ? { from: chat.id, to: message.migrate_to_chat_id }
      : message.migrate_from_chat_id !== undefined
        ? { from: message.migrate_from_chat_id, to: chat.id }
        : null
  const plain = silent(context, updateId, chat.id, update)
  if (migrated !== null) return { ...plain, migrated }
  const person = from !== undefined && from.is_bot !== true && message.sender_chat === undefined
  if (!person || message.guest_query_id !== undefined || chat.type === "channel") return notHeard("no person")
  if (!allows(context.allow, chat.id, from.id))
    return { ...notHeard("not on the allow-list"), stranger: from.id }
  const media = attachments(message)
  const words = inboundMessage(message, kind === "edited_message", media, context)
  if (words === undefined) return plain
  return { ...plain, inbound: { ...plain.inbound, message: words }, files: media.files }
}

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
  edited: boolean,
  media: Attachments,
  { door, bot, members }: NormalizeContext,
): InboundMessage | undefined {
  const typed = message.text ?? message.caption ?? ""
  const entities = message.entities ?? message.caption_entities ?? []
  const { chat, from, reply_to_message: replied } = message
  if (from === undefined || (typed === "" && media.list.length === 0)) return undefined
  const own = message.forward_origin === undefined && message.via_bot === undefined
  const marked = toMarkdown(typed, entities)
  const text =
    message.forward_origin !== undefined
      ? forwarded(message.forward_origin, marked)
      : message.via_bot !== undefined
        ? throughBot(message.via_bot.username ?? "a bot", marked)
        : message.quote !== undefined && (replied?.from?.id === bot.id || replied?.from?.id === from.id)
          ? quoting(message.quote.text, marked)
          : marked
  const thread = message.is_topic_message === true ? message.message_thread_id : undefined
  const isReply = replied !== undefined && !(thread !== undefined && replied.message_id === thread)
  const name = fullName(from)
  return {
    channel: channelOf(chat.id, thread),
    title: title(message, name),
    sourceKey: `tg:${message.message_id}:${edited ? (message.edit_date ?? 0) : 0}`,
    author: { door, id: String(from.id), name, kind: "person" },
    text,
    attachments: media.list,
    mentions: own ? mentioned(typed, entities, members, bot) : [],
    direct: chat.type === "private",
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

interface Attachments {
  readonly list: ReadonlyArray<Attachment>
  readonly files: ReadonlyArray<string | null>
}

/** The largest size of a photo; of everything else the file itself. */
function attachments(message: Message): Attachments {
  const found: Array<readonly [Attachment["kind"], Media, string, string]> = []
  const photo = message.photo?.toSorted((a, b) => (a.file_size ?? 0) - (b.file_size ?? 0)).at(-1)
  if (photo !== undefined) found.push(["photo", photo, "photo.jpg", "image/jpeg"])
  const video = message.video ?? message.video_note ?? message.animation
  if (video !== undefined) found.push(["video", video, "video.mp4", "video/mp4"])
  else if (message.document !== undefined)
    found.push(["document", message.document, "document", "application/octet-stream"])
  if (message.audio !== undefined) found.push(["audio", message.audio, "audio.mp3", "audio/mpeg"])
  if (message.voice !== undefined) found.push(["voice", message.voice, "voice.ogg", "audio/ogg"])
  if (message.sticker !== undefined) found.push(["sticker", message.sticker, "sticker.webp", "image/webp"])
  const list: Array<Attachment> = found.map(([kind, media, name, mime]) => ({
    kind,
    name: fileName(media.file_name) ?? name,
    mime: media.mime_type ?? mime,
    size: media.file_size ?? 0,
    blob: null,
  }))
  const files: Array<string | null> = found.map(([, media]) => media.file_id)
  for (const name of ["venue", "location", "contact", "poll"] as const)
    if (message[name] !== undefined && message.edit_date === undefined) {
      list.push({ kind: "other", name, mime: "application/octet-stream", size: 0, blob: null })
      files.push(null)
      break
    }
  return { list, files }
}

/** A name without a path, as it will be in the sandbox. */
const fileName = (name: string | undefined): string | undefined => {
  const last = oneLine(name?.split(/[/\\]/).at(-1) ?? "")
  return last === "" || last === "." || last === ".." ? undefined : last
}
