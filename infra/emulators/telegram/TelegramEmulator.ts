/**
 * A Telegram of our own on loopback: the Bot API over HTTP for the runtime, and for tests the hands and eyes of the
 * people in the chats. Its ground truth is what people see (`transcript`), never what a bot reported.
 *
 * Semantics: `say`, `edit` and the rest act at once and never wait. `waitFor` resumes on the change that makes its
 * predicate true. Everything ends with the scope.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Agent } from "node:http"
import type { AddressInfo } from "node:net"
import type { Bot } from "./BotMethods.ts"
import { Faults } from "./Faults.ts"
import type { Fault } from "./Faults.ts"
import { Flood } from "./Flood.ts"
import type { FloodLimits } from "./Flood.ts"
import { Presses } from "./Presses.ts"
import { makeServer } from "./Server.ts"
import { UpdateQueue } from "./UpdateQueue.ts"
import { typedEntities, wireChat, wireMessage, wireUser } from "./Wire.ts"
import { World } from "./World.ts"
import type { Change, Chat, ChatType, Entity, FileKind, Seen, User } from "./World.ts"

export interface BotSpec {
  readonly token: string
  readonly username: string
  readonly privacy?: boolean
  readonly guest?: boolean
}

export interface EmulatorOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number
  readonly bots?: ReadonlyArray<BotSpec>
  /** The first pause before a failed webhook call is repeated; it doubles. Telegram's own is 1 s. */
  readonly webhookRetryMs?: number
}

export interface SayOptions {
  readonly replyTo?: number
  readonly topic?: number
  /** Found as a Telegram client finds them when absent. */
  readonly entities?: ReadonlyArray<Entity>
  readonly date?: number
  /** More fields of the wire message: `forward_origin`, `sender_chat`, `via_bot`, `quote`. */
  readonly extra?: Readonly<Record<string, unknown>>
}

export interface FileOptions extends SayOptions {
  readonly bytes: Uint8Array
  readonly name?: string
  readonly mime?: string
  readonly caption?: string
}

export class WaitTimeout extends Schema.TaggedError<WaitTimeout>()("WaitTimeout", {
  message: Schema.String,
}) {}

export interface TelegramEmulator {
  /** Give this to the runtime as `apiRoot`. */
  readonly url: string
  readonly bot: (token?: string) => Bot
  readonly user: (id: number, name: string, username?: string) => User
  /** The private chat of a person with a bot; its id is the person's. */
  readonly privateChat: (person: User, bot?: Bot) => Chat
  readonly group: (
    title: string,
    options?: { type?: ChatType; forum?: boolean; bots?: ReadonlyArray<Bot> },
  ) => Chat
  readonly topic: (chat: Chat, name: string) => number
  /** A person says something; the new message's id. */
  readonly say: (chat: Chat, from: User, text: string, options?: SayOptions) => number
  readonly sendPhoto: (chat: Chat, from: User, file: FileOptions) => number
  readonly sendDocument: (chat: Chat, from: User, file: FileOptions) => number
  readonly sendFile: (kind: FileKind, chat: Chat, from: User, file: FileOptions) => number
  readonly edit: (chat: Chat, message: number, text: string, options?: { readonly date?: number }) => void
  readonly remove: (chat: Chat, message: number) => void
  /** A person presses the button with this label, or a client sends this data; the toast that is shown then. */
  readonly press: (
    chat: Chat,
    message: number,
    from: User,
    button: string | { readonly data: string },
  ) => Effect.Effect<string, WaitTimeout>
  /** Any update at all, also of kinds that do not exist. Its id, or null if the bot did not subscribe to it. */
  readonly push: (kind: string, payload: unknown, chat?: number, bot?: Bot) => number | null
  /** A person takes the bot into a group or channel. */
  readonly invite: (chat: Chat, by: User, bot?: Bot) => void
  /** The bot is thrown out, or blocked by the person. */
  readonly bar: (chat: Chat, bot?: Bot) => void
  /** The group becomes a supergroup; its bots are told. The old id. */
  readonly migrate: (chat: Chat) => number
  /** What people see now, in order, of one topic or of all. */
  readonly transcript: (chat: Chat, topic?: number) => ReadonlyArray<Seen>
  readonly waitFor: (
    chat: Chat,
    predicate: (seen: ReadonlyArray<Seen>) => boolean,
    timeoutMs?: number,
  ) => Effect.Effect<ReadonlyArray<Seen>, WaitTimeout>
  /** Resumes when the calls that bots made make the condition true. */
  readonly called: (condition: () => boolean) => Effect.Effect<void>
  /** Resumes when a poller of the bot waits and everything said is confirmed. */
  readonly idle: (bot?: Bot) => Effect.Effect<void>
  /** Called at each new or edited message, by people and bots; the result ends it. */
  readonly onMessage: (listener: (change: Change) => void) => () => void
  readonly calls: (method: string) => number
  readonly fault: (method: string, fault: Fault, times?: number) => void
  readonly flood: (limits: FloodLimits) => void
}

const defaultBots: ReadonlyArray<BotSpec> = [{ token: "1000:emulated", username: "troupe_bot" }]

export const start = (options: EmulatorOptions = {}): Effect.Effect<TelegramEmulator, never, Scope.Scope> =>
  Effect.gen(function* () {
    const agent = new Agent({ keepAlive: true, maxSockets: 40 })
    const world = new World()
    const bots = new Map<string, Bot>()
    for (const spec of options.bots ?? defaultBots) {
      const user = world.user(Number(spec.token.split(":")[0]), spec.username, spec.username, true)
      const updates = new UpdateQueue(agent, options.webhookRetryMs ?? 1_000)
      const { privacy = false, guest = false, token } = spec
      bots.set(token, { token, user, updates, menus: new Map(), privacy, guest })
    }
    const env = {
      world,
      bots,
      flood: new Flood(),
      faults: new Faults(),
      presses: new Presses(),
      watchers: new Set<() => void>(),
      calls: new Map<string, number>(),
      now: Date.now,
    }
    const server = makeServer(env)
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(options.port ?? 0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          for (const bot of bots.values()) bot.updates.close()
          agent.destroy()
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        }),
    )
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return handle(url, world, bots, env)
  })

interface Env {
  readonly flood: Flood
  readonly faults: Faults
  readonly presses: Presses
  readonly watchers: Set<() => void>
  readonly calls: Map<string, number>
  readonly now: () => number
}

function handle(url: string, world: World, bots: ReadonlyMap<string, Bot>, env: Env): TelegramEmulator {
  const first = bots.values().next().value
  const botOf = (token?: string): Bot => {
    const bot = token === undefined ? first : bots.get(token)
    if (bot === undefined) throw new Error("the emulator has no such bot")
    return bot
  }
  const seconds = (date?: number) => date ?? Math.floor(env.now() / 1000)
  const deliver = (kind: "message" | "edited_message", chat: Chat, seen: Seen): void => {
    for (const bot of bots.values())
      if (chat.bots.has(bot.user.id) && !chat.barred.has(bot.user.id) && hears(bot, chat, seen))
        bot.updates.push(
          chat.type === "channel" ? `${kind === "message" ? "" : "edited_"}channel_post` : kind,
          wireMessage(chat, seen),
          chat.id,
        )
  }
  const post = (chat: Chat, from: User, text: string, file: Seen["file"], options: SayOptions): number => {
    const seen = world.post(chat, {
      from,
      date: seconds(options.date),
      topic: options.topic ?? null,
      replyTo: options.replyTo ?? null,
      text,
      entities: options.entities ?? typedEntities(text),
      file,
      extra: options.extra ?? {},
    })
    deliver("message", chat, seen)
    return seen.id
  }
  const sendFile: TelegramEmulator["sendFile"] = (kind, chat, from, options) => {
    const { name = `${kind}.bin`, mime = kind === "photo" ? "image/jpeg" : "application/octet-stream" } =
      options
    const stored = world.file(name, mime, options.bytes, `${kind}s`)
    return post(chat, from, options.caption ?? "", { kind, stored }, options)
  }
  const transcript: TelegramEmulator["transcript"] = (chat, topic) => {
    const all = [...chat.messages.values()]
    return topic === undefined ? all : all.filter((seen) => seen.topic === topic)
  }
  return {
    url,
    bot: botOf,
    user: (id, name, username) => world.user(id, name, username ?? null),
    privateChat: (person, bot = botOf()) =>
      world.find(bot.user.id, person.id) ?? world.chat("private", person.name, person, [bot.user.id]),
    group: (title, { type = "supergroup", forum = false, bots: members = [...bots.values()] } = {}) =>
      world.chat(
        type,
        title,
        null,
        members.map((bot) => bot.user.id),
        forum,
      ),
    topic: (chat, name) => {
      const id = chat.nextMessage++
      chat.topics.set(id, name)
      return id
    },
    say: (chat, from, text, options = {}) => post(chat, from, text, null, options),
    sendFile,
    sendPhoto: (chat, from, file) => sendFile("photo", chat, from, file),
    sendDocument: (chat, from, file) => sendFile("document", chat, from, file),
    edit: (chat, message, text, { date } = {}) => {
      const before = chat.messages.get(message)
      if (before === undefined) throw new Error(`there is no message ${message} in ${chat.title}`)
      deliver("edited_message", chat, world.edit(chat, before, text, typedEntities(text), seconds(date)))
    },
    remove: (chat, message) => void chat.messages.delete(message),
    press: (chat, message, from, button) =>
      Effect.callback<string, WaitTimeout>((resume) => {
        const seen = chat.messages.get(message)
        const data =
          typeof button === "string"
            ? seen?.buttons.flat().find(({ text }) => text === button)?.callback_data
            : button.data
        if (seen === undefined || data === undefined)
          throw new Error(`there is no button ${JSON.stringify(button)} at message ${message}`)
        const id = env.presses.open((toast) => {
          clearTimeout(timer)
          resume(Effect.succeed(toast))
        })
        const timer = setTimeout(
          () => resume(Effect.fail(new WaitTimeout({ message: `the press ${data} was not answered` }))),
          10_000,
        )
        const query = { id, from: wireUser(from), message: wireMessage(chat, seen), chat_instance: "1", data }
        const owner = [...bots.values()].find((bot) => bot.user.id === seen.from.id) ?? botOf()
        owner.updates.push("callback_query", query, chat.id)
      }),
    push: (kind, payload, chat = 0, bot = botOf()) => bot.updates.push(kind, payload, chat),
    invite: (chat, by, bot = botOf()) => {
      chat.barred.delete(bot.user.id)
      bot.updates.push(
        "my_chat_member",
        {
          chat: wireChat(chat),
          from: wireUser(by),
          date: seconds(),
          old_chat_member: { user: wireUser(bot.user), status: "left" },
          new_chat_member: { user: wireUser(bot.user), status: "member" },
        },
        chat.id,
      )
    },
    bar: (chat, bot = botOf()) => void chat.barred.add(bot.user.id),
    migrate: (chat) => {
      const before = wireChat(chat)
      const old = world.migrate(chat)
      const service = {
        message_id: chat.nextMessage++,
        date: seconds(),
        from: wireUser(chat.person ?? nobody),
      }
      for (const bot of bots.values())
        if (chat.bots.has(bot.user.id)) {
          bot.updates.push("message", { ...service, chat: before, migrate_to_chat_id: chat.id }, old)
          bot.updates.push(
            "message",
            { ...service, chat: wireChat(chat), migrate_from_chat_id: old },
            chat.id,
          )
        }
      return old
    },
    transcript,
    waitFor: (chat, predicate, timeoutMs = 10_000) =>
      Effect.callback<ReadonlyArray<Seen>, WaitTimeout>((resume) => {
        const end = () => {
          clearTimeout(timer)
          world.listeners.delete(look)
        }
        const look = (change?: Change) => {
          if (change !== undefined && change.chat !== chat) return
          const seen = transcript(chat)
          if (!predicate(seen)) return
          end()
          resume(Effect.succeed(seen))
        }
        const timer = setTimeout(() => {
          end()
          const lines = transcript(chat).map((seen) => `${seen.from.name}: ${seen.text.slice(0, 200)}`)
          const message = `Nothing of the kind appeared in ${chat.title} within ${timeoutMs} ms; there is:\n${lines.join("\n")}`
          resume(Effect.fail(new WaitTimeout({ message })))
        }, timeoutMs)
        world.listeners.add(look)
        look()
        return Effect.sync(end)
      }),
    called: (condition) =>
      Effect.callback<void>((resume) => {
        const look = () => {
          if (!condition()) return
          env.watchers.delete(look)
          resume(Effect.void)
        }
        env.watchers.add(look)
        look()
        return Effect.sync(() => void env.watchers.delete(look))
      }),
    idle: (bot = botOf()) =>
      Effect.callback<void>((resume) => {
        const { updates } = bot
        const look = () => {
          if (!updates.parked || updates.waiting > 0) return
          updates.onParked.delete(look)
          resume(Effect.void)
        }
        updates.onParked.add(look)
        look()
        return Effect.sync(() => void updates.onParked.delete(look))
      }),
    onMessage: (listener) => {
      world.listeners.add(listener)
      return () => void world.listeners.delete(listener)
    },
    calls: (method) => env.calls.get(method) ?? 0,
    fault: (method, fault, times = 1) => env.faults.add(method, fault, times),
    flood: (limits) => void (env.flood.limits = limits),
  }
}

const nobody: User = { id: 777000, name: "Telegram", username: null, isBot: false }

/** Privacy mode: in groups only commands, mentions of the bot and replies to it. Bots never hear bots. */
function hears(bot: Bot, chat: Chat, seen: Seen): boolean {
  if (seen.from.isBot) return false
  if (!bot.privacy || chat.type === "private") return true
  const answered = seen.replyTo === null ? undefined : chat.messages.get(seen.replyTo)
  const named = seen.text.toLowerCase().includes(`@${bot.user.username?.toLowerCase()}`)
  return answered?.from.id === bot.user.id || named || seen.entities.some((e) => e.type === "bot_command")
}
