/**
 * Which agents the words name: `@ada`, `/ada` or `/ada@bot`. The bot's own name means its agent, the first where several
 * stand behind it and none is named. Names inside code, links and forwarded words address nobody.
 */
import type { AgentId } from "../../runtime/index.ts"
import type { Entity } from "./Update.ts"

export interface Member {
  readonly id: AgentId
  readonly name: string
  /** Without the `@`. */
  readonly handle: string
}

export interface BotName {
  readonly id: number
  readonly username: string
}

export const mentioned = (
  text: string,
  entities: ReadonlyArray<Entity>,
  members: ReadonlyArray<Member>,
  bot: BotName,
): ReadonlyArray<AgentId> => {
  if (members.length === 0 || !(text.includes("@") || text.includes("/") || entities.length > 0)) return []
  const spoken = masked(text, entities)
  const named = members.filter(({ handle }) => calls(spoken, handle, bot)).map(({ id }) => id)
  if (named.length > 0) return named
  const self =
    new RegExp(`(?<![\\w@/.])@${bot.username}(?!\\w)`, "i").test(spoken) ||
    new RegExp(`(?<![\\w/])/\\w+@${bot.username}(?!\\w)`, "i").test(spoken) ||
    entities.some((entity) => entity.type === "text_mention" && entity.user?.id === bot.id)
  return self ? [members[0]!.id] : []
}

/** `@ada` and `/ada`, also `/ada@this_bot` but not `/ada@other_bot`; commands cannot hold a `-`. */
function calls(spoken: string, handle: string, bot: BotName): boolean {
  const name = escaped(handle)
  const command = escaped(handle.replaceAll("-", "_"))
  return (
    new RegExp(`(?<![\\w@/.])@${name}(?![\\w-])`, "i").test(spoken) ||
    new RegExp(`(?<![\\w@/.])/${command}(?:@${bot.username}(?!\\w)|(?![\\w@/-]))`, "i").test(spoken)
  )
}

const escaped = (name: string) => name.replace(/\W/g, "\\$&")

const silent = new Set(["code", "pre", "url", "email", "text_link"])

/** The words with everything blanked that is not addressed to anybody. */
function masked(text: string, entities: ReadonlyArray<Entity>): string {
  let spoken = text
  for (const { type, offset, length } of entities)
    if (silent.has(type) && offset >= 0 && length > 0 && offset < spoken.length)
      spoken =
        spoken.slice(0, offset) +
        " ".repeat(Math.min(length, spoken.length - offset)) +
        spoken.slice(offset + length)
  return spoken
}
