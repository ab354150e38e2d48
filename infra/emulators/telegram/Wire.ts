/** The emulator's world in the Bot API's JSON. */
import type { Chat, Entity, Seen, User } from "./World.ts"

export type Json = Readonly<Record<string, unknown>>

export const wireUser = (user: User): Json => ({
  id: user.id,
  is_bot: user.isBot,
  first_name: user.name,
  ...(user.username === null ? {} : { username: user.username }),
})

export const wireChat = (chat: Chat): Json => ({
  id: chat.id,
  type: chat.type,
  ...(chat.person === null
    ? { title: chat.title }
    : {
        first_name: chat.person.name,
        ...(chat.person.username === null ? {} : { username: chat.person.username }),
      }),
  ...(chat.forum ? { is_forum: true } : {}),
})

export const wireMessage = (chat: Chat, seen: Seen): Json => ({
  message_id: seen.id,
  // Posts are the channel's.
  ...(chat.type === "channel" ? { sender_chat: wireChat(chat) } : { from: wireUser(seen.from) }),
  chat: wireChat(chat),
  date: seen.date,
  ...(seen.editDate === null ? {} : { edit_date: seen.editDate }),
  ...(seen.topic === null ? {} : { message_thread_id: seen.topic, is_topic_message: true }),
  ...wireReply(chat, seen),
  ...(seen.file === null
    ? { text: seen.text, ...(seen.entities.length === 0 ? {} : { entities: seen.entities }) }
    : {
        ...wireFile(seen.file),
        ...(seen.text === "" ? {} : { caption: seen.text }),
        ...(seen.entities.length === 0 ? {} : { caption_entities: seen.entities }),
      }),
  ...(seen.buttons.length === 0 ? {} : { reply_markup: { inline_keyboard: seen.buttons } }),
  ...seen.extra,
})

/** As Telegram does, words in a topic that answer nothing "reply" to the message that opened the topic. */
function wireReply(chat: Chat, seen: Seen): Json {
  const answered = seen.replyTo === null ? undefined : chat.messages.get(seen.replyTo)
  if (answered !== undefined)
    return { reply_to_message: wireMessage(chat, { ...answered, replyTo: null, topic: null }) }
  const topic = seen.topic === null ? undefined : chat.topics.get(seen.topic)
  if (topic === undefined) return {}
  const from = wireUser({ id: 1, name: "Owner", username: null, isBot: false })
  const opened = { message_id: seen.topic, from, chat: wireChat(chat), date: seen.date }
  return { reply_to_message: { ...opened, forum_topic_created: { name: topic, icon_color: 0 } } }
}

function wireFile({ kind, stored }: NonNullable<Seen["file"]>): Json {
  const base = {
    file_id: stored.fileId,
    file_unique_id: `u-${stored.fileId}`,
    file_size: stored.bytes.length,
  }
  if (kind === "photo")
    return {
      photo: [
        { ...base, file_id: `${stored.fileId}-small`, file_size: 1, width: 90, height: 90 },
        { ...base, width: 1280, height: 1280 },
      ],
    }
  return {
    [kind]: { ...base, mime_type: stored.mime, ...(kind === "document" ? { file_name: stored.name } : {}) },
  }
}

/** The entities a Telegram client finds in typed words: mentions, commands and links. */
export const typedEntities = (text: string): ReadonlyArray<Entity> => {
  const found: Array<Entity> = []
  const patterns: ReadonlyArray<readonly [string, RegExp]> = [
    ["mention", /(?<![\w@])@[a-zA-Z]\w{2,31}/g],
    ["bot_command", /(?<![\w/])\/[a-zA-Z]\w{0,31}(?:@\w{3,32})?/g],
    ["url", /\bhttps?:\/\/[^\s<>"]+/g],
  ]
  for (const [type, pattern] of patterns)
    for (const match of text.matchAll(pattern))
      found.push({ type, offset: match.index, length: match[0].length })
  return found.toSorted((a, b) => a.offset - b.offset)
}
