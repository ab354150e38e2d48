/**
 * Commands that Troupe answers by itself, without an agent and without a model, and the menu that shows them. All other
 * commands are words of the room. Pure.
 */
import type { BotName, Member } from "./Mentions.ts"
import type { Entity } from "./Update.ts"

export type Question = "help" | "who" | "why" | "cost"

const questions: Readonly<Record<string, Question>> = {
  start: "help",
  help: "help",
  who: "who",
  why: "why",
  cost: "cost",
}

/** What is asked when the message is nothing but the command, to this bot or to all. */
export const questionIn = (
  text: string,
  entities: ReadonlyArray<Entity>,
  bot: BotName,
): Question | undefined => {
  if (!entities.some(({ type, offset }) => type === "bot_command" && offset === 0)) return undefined
  const [, name = "", to = ""] = /^\/([a-z]+)(?:@(\w+))?\s*(?:\S*)\s*$/i.exec(text) ?? []
  if (to !== "" && to.toLowerCase() !== bot.username.toLowerCase()) return undefined
  return questions[name.toLowerCase()]
}

type Shown = Question | "stop" | "wait" | "continue"
type Words = Readonly<Record<Exclude<Shown, "start">, string>>

/** By Telegram's language code; "" is everybody else's. */
const words: Readonly<Record<string, Words>> = {
  "": {
    help: "What can be said here",
    stop: "Stop who works now",
    wait: "Let them wait",
    continue: "Let them go on",
    who: "Who is here, and what they do",
    why: "Who took the last words, and why",
    cost: "What this room cost",
  },
  de: {
    help: "Was man hier sagen kann",
    stop: "Laufende Arbeit anhalten",
    wait: "Warten lassen",
    continue: "Weitermachen lassen",
    who: "Wer hier ist und was er tut",
    why: "Wer die letzten Worte nahm, und warum",
    cost: "Was dieser Raum gekostet hat",
  },
  es: {
    help: "Qué se puede decir aquí",
    stop: "Parar el trabajo en curso",
    wait: "Hacer esperar",
    continue: "Dejar continuar",
    who: "Quién está aquí y qué hace",
    why: "Quién tomó lo último dicho, y por qué",
    cost: "Lo que ha costado esta sala",
  },
  fr: {
    help: "Ce qu'on peut dire ici",
    stop: "Arrêter le travail en cours",
    wait: "Faire attendre",
    continue: "Laisser continuer",
    who: "Qui est ici et que fait-il",
    why: "Qui a pris les derniers mots, et pourquoi",
    cost: "Ce que ce salon a coûté",
  },
  pt: {
    help: "O que se pode dizer aqui",
    stop: "Parar o trabalho em curso",
    wait: "Fazer esperar",
    continue: "Deixar continuar",
    who: "Quem está aqui e o que faz",
    why: "Quem ficou com as últimas palavras, e porquê",
    cost: "Quanto custou esta sala",
  },
  ru: {
    help: "Что здесь можно сказать",
    stop: "Остановить текущую работу",
    wait: "Подождать",
    continue: "Продолжить",
    who: "Кто здесь и чем занят",
    why: "Кто взял последнее сообщение и почему",
    cost: "Сколько стоила эта комната",
  },
}

export interface Menu {
  readonly commands: ReadonlyArray<{ readonly command: string; readonly description: string }>
  readonly scope: { readonly type: "all_private_chats" | "all_group_chats" }
  readonly language_code?: string
}

const maxCommands = 100

/** One for each kind of chat and language. Groups also show the agents, as `/name`. */
export const menus = (members: ReadonlyArray<Member & { readonly title?: string }>): ReadonlyArray<Menu> =>
  Object.entries(words).flatMap(([language, shown]) => {
    const own = Object.entries(shown).map(([command, description]) => ({ command, description }))
    const agents = members.flatMap(({ handle, name, title }) => {
      const command = handle.toLowerCase().replaceAll("-", "_")
      const fits = /^[a-z0-9_]{1,32}$/.test(command) && !(command in shown) && !(command in questions)
      return fits ? [{ command, description: title === undefined || title === "" ? name : title }] : []
    })
    const code = language === "" ? {} : { language_code: language }
    return [
      { commands: own, scope: { type: "all_private_chats" }, ...code },
      { commands: [...agents, ...own].slice(-maxCommands), scope: { type: "all_group_chats" }, ...code },
    ] as const
  })
