/**
 * The people, and the emulated Telegram they talk on: a process of its own. Everything is timed where people see it: from the
 * moment somebody says something to the moment the finished answer stands in the chat.
 *
 * Each question has a name of its own (`#q17`); its answer is "The answer to #q17.".
 */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { now, serve } from "./Child.ts"
import { TelegramEmulator, type Change, type Chat } from "../emulators/telegram/index.ts"

export interface Asked {
  readonly q: string
  readonly said: number
  /** The first words of the answer stood in the chat. */
  readonly first: number
  readonly done: number
}

export interface Standing {
  readonly answered: number
  /** Messages of the bot that hold more than one answer. */
  readonly merged: number
  /** Answers that stand in more than one message. */
  readonly twice: number
  /** Bot messages that are no answer. */
  readonly strays: number
}

const scope = await Effect.runPromise(Scope.make())
const tokens = {
  bare: "1000:bare",
  troupe: "2000:troupe",
  other: "3000:other",
  more: "4000:more",
  many: "5000:many",
} as const
export type BotName = keyof typeof tokens
const tg = await Effect.runPromise(
  TelegramEmulator.start({
    bots: Object.entries(tokens).map(([username, token]) => ({ username: `${username}_bot`, token })),
  }).pipe(Effect.provideService(Scope.Scope, scope)),
)

const answerTo = (q: string) => `The answer to ${q}.`
const questions = /#q\d+/g
let asked = 0
let people = 0
const chats = new Map<string, Chat>()
const chatOf = (bot: BotName, room: string): Chat => {
  const key = `${bot}/${room}`
  let chat = chats.get(key)
  if (chat === undefined) {
    people++
    chat = tg.privateChat(tg.user(10_000 + people, `Person ${people}`), tg.bot(tokens[bot]))
    chats.set(key, chat)
  }
  return chat
}

interface Open {
  readonly said: number
  first: number
  done: number
  readonly answered: (asked: Asked) => void
}
const open = new Map<string, Open>()
/** Questions of each burst that is still watched. */
const bursts = new Map<string, { readonly chats: ReadonlyArray<Chat>; readonly questions: Array<string> }>()

tg.onMessage(({ message }: Change) => {
  if (!message.from.isBot) return
  const at = now()
  for (const q of message.text.match(questions) ?? []) {
    const one = open.get(q)
    if (one === undefined) continue
    if (one.first === 0) one.first = at
    if (!message.text.includes(answerTo(q)) || message.text.endsWith("…")) continue
    open.delete(q)
    one.done = at
    one.answered({ q, said: one.said, first: one.first, done: at })
  }
})

const ask = (chat: Chat, words: string): { readonly q: string; readonly answer: Promise<Asked> } => {
  const q = `#q${++asked}`
  const answer = new Promise<Asked>((answered) => {
    open.set(q, { said: now(), first: 0, done: 0, answered })
  })
  tg.say(chat, chat.person!, `${words} ${q}`)
  return { q, answer }
}

const within = async <A>(ms: number, what: string, promise: Promise<A>): Promise<A> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${ms} ms`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

const methods = {
  url: () => tg.url,
  /** One message at a time, in turn over `rooms` private chats named after `of`. */
  oneByOne: async (bot: BotName, of: string, count: number, rooms: number, words: string) => {
    const all: Array<Asked> = []
    for (let i = 0; i < count; i++) {
      const { answer, q } = ask(chatOf(bot, `${of}${i % rooms}`), words)
      all.push(await within(15_000, `answer to ${q}`, answer))
    }
    return all
  },
  /** All at once, each chat's in order; resolves with the milliseconds until the last answer. */
  burst: async (bot: BotName, of: string, count: number, rooms: number) => {
    const from = now()
    const all = Array.from({ length: count }, (_, i) => ask(chatOf(bot, `${of}${i % rooms}`), "Hello"))
    bursts.set(of, {
      chats: Array.from({ length: rooms }, (_, i) => chatOf(bot, `${of}${i}`)),
      questions: all.map(({ q }) => q),
    })
    await within(60_000, "answer to everything", Promise.all(all.map(({ answer }) => answer)))
    return now() - from
  },
  standing: (of: string): Standing => {
    const burst = bursts.get(of)
    const said = (burst?.chats ?? []).flatMap((chat) => tg.transcript(chat)).filter((m) => m.from.isBot)
    const answers = said.map((m) => (m.text.match(/The answer to (#q\d+)\./g) ?? []).length)
    const places = (burst?.questions ?? []).map(
      (q) => said.filter((m) => [m.text, ...m.edits].some((t) => t.includes(answerTo(q)))).length,
    )
    return {
      answered: places.filter((n) => n > 0).length,
      merged: answers.filter((n) => n > 1).length,
      twice: places.filter((n) => n > 1).length,
      strays: answers.filter((n) => n === 0).length,
    }
  },
  /** Calls of the Bot API that say or change something. */
  calls: () => ["sendMessage", "editMessageText", "sendChatAction"].reduce((n, m) => n + tg.calls(m), 0),
}
export type Crowd = typeof methods
serve(methods)
