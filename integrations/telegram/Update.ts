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
  /** Seconds. */
  duration: optional(Int),
  /** Of a sticker. */
  emoji: optional(String),
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

const Location = Schema.Struct({ latitude: Schema.Finite, longitude: Schema.Finite })

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
  media_group_id: optional(String),
  location: optional(Location),
  venue: optional(Schema.Struct({ location: Location, title: String, address: String })),
  contact: optional(Schema.Struct({ phone_number: String, first_name: String, last_name: optional(String) })),
  poll: optional(Schema.Struct({ question: String, options: Schema.Array(Schema.Struct({ text: String })) })),
  dice: optional(Schema.Struct({ emoji: String, value: Int })),
  checklist: optional(
    Schema.Struct({
      title: String,
      tasks: Schema.Array(Schema.Struct({ text: String, completion_date: optional(Int) })),
    }),
  ),
  story: anything,
  paid_media: anything,
  game: anything,
  invoice: anything,
  giveaway: anything,
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

/** What became of the bot in a chat. */
export const Membership = Schema.Struct({
  chat: Chat,
  from: User,
  new_chat_member: Schema.Struct({ status: String }),
})

export const decodeMembership = Schema.decodeUnknownOption(Membership)
export const decodePress = Schema.decodeUnknownOption(Press)
export const decodeMessage = Schema.decodeUnknownOption(Message)
