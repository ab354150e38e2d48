/**
 * The methods a bot may call, on the emulator's world: same parameters, same results and the same words of refusal as
 * the Bot API. Each is a plain function; HTTP, faults and counting are the server's.
 */
import { ApiError } from "./ApiError.ts"
import { check } from "./EntityCheck.ts"
import type { Flood } from "./Flood.ts"
import { keyboardOf, type Presses } from "./Presses.ts"
import type { UpdateQueue } from "./UpdateQueue.ts"
import { wireChat, wireMessage, wireUser } from "./Wire.ts"
import type { Json } from "./Wire.ts"
import type { Chat, Seen, User, World } from "./World.ts"

export interface Bot {
  readonly token: string
  readonly user: User
  readonly updates: UpdateQueue
  /** Its commands, by `<scope>/<language>`. */
  readonly menus: Map<string, ReadonlyArray<string>>
  /** Hears only commands, mentions and replies in groups, Telegram's default. */
  readonly privacy: boolean
  /** Bot API 10.0 guest mode, reported by getMe. */
  readonly guest: boolean
}

export interface MethodWorld {
  readonly world: World
  readonly flood: Flood
  readonly presses: Presses
  readonly now: () => number
}

/** A file that came with a call. */
export interface Upload {
  readonly name: string
  readonly bytes: Uint8Array
}

const maxText = 4096
const maxCaption = 1024
const maxUpload = 50 * 1024 * 1024
const maxPhoto = 10 * 1024 * 1024
const maxDownload = 20 * 1024 * 1024

export type Method = (bot: Bot, params: Json, env: MethodWorld) => unknown

export const botMethods: Readonly<Record<string, Method>> = {
  getMe: (bot) => ({
    ...wireUser(bot.user),
    can_join_groups: true,
    can_read_all_group_messages: !bot.privacy,
    supports_guest_queries: bot.guest,
    supports_inline_queries: false,
  }),

  setWebhook: (bot, params) => {
    const url = String(params["url"] ?? "")
    const secret = params["secret_token"]
    if (secret !== undefined && !(typeof secret === "string" && /^[A-Za-z0-9_-]{1,256}$/.test(secret)))
      throw new ApiError(400, "Bad Request: secret token contains unallowed characters")
    bot.updates.allow(params["allowed_updates"])
    const webhook = url === "" ? null : { url, secret: typeof secret === "string" ? secret : null }
    bot.updates.setWebhook(webhook, params["drop_pending_updates"] === true)
    return true
  },
  deleteWebhook: (bot, params) => {
    bot.updates.setWebhook(null, params["drop_pending_updates"] === true)
    return true
  },
  getWebhookInfo: (bot) => ({
    url: bot.updates.webhook?.url ?? "",
    has_custom_certificate: false,
    pending_update_count: bot.updates.waiting,
    ...(bot.updates.lastError === null
      ? {}
      : {
          last_error_date: bot.updates.lastError.at,
          last_error_message: bot.updates.lastError.message,
        }),
  }),

  sendMessage: (bot, params, env) => {
    const chat = writable(bot, params, env)
    const { text, entities } = checked(params)
    const buttons = keyboardOf(params["reply_markup"])
    const topic = topicOf(chat, params["message_thread_id"])
    const reply = params["reply_parameters"] as
      { message_id?: number; allow_sending_without_reply?: boolean } | undefined
    const replyTo = reply?.message_id ?? null
    if (replyTo !== null && !chat.messages.has(replyTo) && reply?.allow_sending_without_reply !== true)
      throw new ApiError(400, "Bad Request: message to be replied not found")
    env.flood.pass(bot.user.id, chat, env.now())
    const seen = env.world.post(chat, {
      from: bot.user,
      date: seconds(env),
      topic,
      replyTo: replyTo !== null && chat.messages.has(replyTo) ? replyTo : null,
      text,
      entities,
      file: null,
      buttons,
      extra: {},
    })
    return wireMessage(chat, seen)
  },

  editMessageText: (bot, params, env) => {
    const chat = writable(bot, params, env)
    const before = chat.messages.get(Number(params["message_id"]))
    if (before === undefined) throw new ApiError(400, "Bad Request: message to edit not found")
    if (before.from.id !== bot.user.id) throw new ApiError(400, "Bad Request: message can't be edited")
    const { text, entities } = checked(params)
    const buttons = keyboardOf(params["reply_markup"])
    env.flood.pass(bot.user.id, chat, env.now())
    if (
      JSON.stringify([text, entities, buttons]) ===
      JSON.stringify([before.text, before.entities, before.buttons])
    )
      throw new ApiError(
        400,
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
      )
    return wireMessage(chat, env.world.edit(chat, before, text, entities, seconds(env), buttons))
  },

  editMessageMedia: (bot, params, env) => {
    const chat = writable(bot, params, env)
    const before = chat.messages.get(Number(params["message_id"]))
    if (before === undefined) throw new ApiError(400, "Bad Request: message to edit not found")
    if (before.from.id !== bot.user.id) throw new ApiError(400, "Bad Request: message can't be edited")
    const media = (params["media"] ?? {}) as Json
    const upload = (params["uploads"] as ReadonlyMap<string, Upload> | undefined)?.get(
      String(media["media"]).replace(/^attach:\/\//, ""),
    )
    const kind = media["type"]
    if (kind !== "photo" && kind !== "document")
      throw new ApiError(400, "Bad Request: the emulator takes photos and documents")
    if (upload === undefined) throw new ApiError(400, "Bad Request: wrong file identifier/HTTP URL specified")
    if (upload.bytes.length > (kind === "photo" ? maxPhoto : maxUpload))
      throw new ApiError(413, "Request Entity Too Large")
    // The first bytes of a PNG, a JPEG and a WebP.
    if (kind === "photo" && ![0x89, 0xff, 0x52].includes(upload.bytes[0] ?? 0))
      throw new ApiError(400, "Bad Request: IMAGE_PROCESS_FAILED")
    const caption = media["caption"] === undefined || media["caption"] === "" ? null : media["caption"]
    const { text, entities } =
      caption === null ? { text: "", entities: [] } : check(caption, media["caption_entities"])
    if (text.length > maxCaption) throw new ApiError(400, "Bad Request: message caption is too long")
    env.flood.pass(bot.user.id, chat, env.now())
    const stored = env.world.file(upload.name, "application/octet-stream", upload.bytes, `${kind}s`)
    return wireMessage(
      chat,
      env.world.edit(chat, { ...before, file: { kind, stored } }, text, entities, seconds(env)),
    )
  },

  setMyCommands: (bot, params) => {
    const commands = (params["commands"] ?? []) as ReadonlyArray<{ command?: unknown; description?: unknown }>
    if (commands.length > 100) throw new ApiError(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
    for (const { command, description } of commands) {
      if (!/^[a-z0-9_]{1,32}$/.test(String(command)))
        throw new ApiError(400, "Bad Request: BOT_COMMAND_INVALID")
      if (typeof description !== "string" || description === "" || description.length > 256)
        throw new ApiError(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
    }
    const scope = (params["scope"] as Json | undefined)?.["type"] ?? "default"
    bot.menus.set(
      `${String(scope)}/${String(params["language_code"] ?? "")}`,
      commands.map(({ command }) => String(command)),
    )
    return true
  },

  leaveChat: (bot, params, env) => {
    const chat = writable(bot, params, env)
    if (chat.type === "private")
      throw new ApiError(400, "Bad Request: chat member status can't be changed in private chats")
    chat.barred.add(bot.user.id)
    return true
  },

  answerCallbackQuery: (_bot, params, { presses }) => {
    presses.answer(params["callback_query_id"], params["text"])
    return true
  },

  deleteMessage: (bot, params, env) => {
    const chat = writable(bot, params, env)
    if (!chat.messages.delete(Number(params["message_id"])))
      throw new ApiError(400, "Bad Request: message to delete not found")
    return true
  },

  sendChatAction: (bot, params, env) => {
    writable(bot, params, env)
    return true
  },

  getChat: (bot, params, env) => wireChat(writable(bot, params, env)),

  getFile: (_bot, params, env) => {
    const file = env.world.files.get(String(params["file_id"]))
    if (file === undefined)
      throw new ApiError(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
    if (file.bytes.length > maxDownload) throw new ApiError(400, "Bad Request: file is too big")
    return {
      file_id: file.fileId,
      file_unique_id: `u-${file.fileId}`,
      file_size: file.bytes.length,
      file_path: file.path,
    }
  },
}

function checked(params: Json): Pick<Seen, "text" | "entities"> {
  if (params["parse_mode"] !== undefined)
    throw new ApiError(400, "Bad Request: the emulator takes entities, not parse_mode")
  const result = check(params["text"], params["entities"])
  if (result.text.length > maxText) throw new ApiError(400, "Bad Request: message is too long")
  return result
}

function writable(bot: Bot, params: Json, { world }: MethodWorld): Chat {
  const chat = world.find(bot.user.id, Number(params["chat_id"]))
  if (chat === undefined) throw new ApiError(400, "Bad Request: chat not found")
  if (chat.migratedTo !== null)
    throw new ApiError(400, "Bad Request: group chat was upgraded to a supergroup chat", {
      migrate_to_chat_id: chat.migratedTo,
    })
  if (chat.barred.has(bot.user.id))
    throw new ApiError(
      403,
      chat.person === null
        ? `Forbidden: bot was kicked from the ${chat.type} chat`
        : "Forbidden: bot was blocked by the user",
    )
  return chat
}

function topicOf(chat: Chat, thread: unknown): number | null {
  if (thread === undefined || thread === null) return null
  if (!chat.topics.has(Number(thread))) throw new ApiError(400, "Bad Request: message thread not found")
  if (chat.closed.has(Number(thread))) throw new ApiError(400, "Bad Request: TOPIC_CLOSED")
  return Number(thread)
}

const seconds = (env: MethodWorld): number => Math.floor(env.now() / 1000)
