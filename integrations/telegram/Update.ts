/**
 * The part of a Telegram update that we read. What does not decode is still stored, as a delivery that says nothing:
 * an update that we refuse would block its chat for up to 24 hours.
 */
import * as Schema from "effect/Schema"

const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(schema)
const { Int, String, Boolean } = Schema

export const User = Schema.Struct({
  id: Int,
  is_bot: optional(Boolean),
  first_name: optional(String),
  last_name: optional(String),
  username: optional(String),
})
export type User = typeof User.Type

const Chat = Schema.Struct({
  id: Int,
  type: String,
  title: optional(String),
  first_name: optional(String),
  last_name: optional(String),
})

export const Entity = Schema.Struct({
  type: String,
  offset: Int,
  length: Int,
  url: optional(String),
  language: optional(String),
  user: optional(User),
})
export type Entity = typeof Entity.Type

const Media = Schema.Struct({
  file_id: String,
  file_size: optional(Int),
  file_name: optional(String),
  mime_type: optional(String),
})
export type Media = typeof Media.Type

const Origin = Schema.Struct({
  type: String,
  sender_user: optional(User),
  sender_user_name: optional(String),
  sender_chat: optional(Chat),
  chat: optional(Chat),
})
export type Origin = typeof Origin.Type

const Replied = Schema.Struct({
  message_id: Int,
  from: optional(User),
  forum_topic_created: optional(Schema.Struct({ name: String })),
})

const anything = optional(Schema.Unknown)

export const Message = Schema.Struct({
  message_id: Int,
  message_thread_id: optional(Int),
  is_topic_message: optional(Boolean),
  from: optional(User),
  sender_chat: optional(Chat),
  chat: Chat,
  edit_date: optional(Int),
  forward_origin: optional(Origin),
  via_bot: optional(User),
  guest_query_id: optional(String),
  reply_to_message: optional(Replied),
  quote: optional(Schema.Struct({ text: String })),
  text: optional(String),
  entities: optional(Schema.Array(Entity)),
  caption: optional(String),
  caption_entities: optional(Schema.Array(Entity)),
  photo: optional(Schema.Array(Media)),
  document: optional(Media),
  audio: optional(Media),
  voice: optional(Media),
  video: optional(Media),
  video_note: optional(Media),
  animation: optional(Media),
  sticker: optional(Media),
  location: anything,
  venue: anything,
  contact: anything,
  poll: anything,
  migrate_to_chat_id: optional(Int),
  migrate_from_chat_id: optional(Int),
})
export type Message = typeof Message.Type

/** A press. The message may be too old to be read: then only its place is known. */
export const Press = Schema.Struct({
  id: String,
  from: User,
  message: optional(
    Schema.Struct({
      message_id: Int,
      chat: Chat,
      message_thread_id: optional(Int),
      is_topic_message: optional(Boolean),
    }),
  ),
  data: optional(String),
})
export type Press = typeof Press.Type

export const decodePress = Schema.decodeUnknownOption(Press)
export const decodeMessage = Schema.decodeUnknownOption(Message)
