/**
 * What a person wrote, as an agent reads it: Telegram's entities that carry meaning become Markdown again, and words
 * that are not the speaker's own are quoted under a line that says so. Nobody speaks with another's authority.
 */
import type { Entity, Origin, User } from "./Update.ts"

/** Code, preformatted text and hidden link targets as Markdown; everything else as it was typed. */
export const toMarkdown = (text: string, entities: ReadonlyArray<Entity>): string => {
  let written = ""
  let at = 0
  for (const entity of entities.toSorted((a, b) => a.offset - b.offset)) {
    const { offset, length } = entity
    if (offset < at || length <= 0 || offset + length > text.length) continue
    const inner = text.slice(offset, offset + length)
    const marked = mark(entity, inner)
    if (marked === inner) continue
    written += text.slice(at, offset) + marked
    at = offset + length
  }
  return written + text.slice(at)
}

function mark({ type, url, language }: Entity, inner: string): string {
  if (type === "text_link" && url !== undefined) return `[${inner}](${url})`
  if (type === "code") return inner.includes("`") ? `\`\` ${inner} \`\`` : `\`${inner}\``
  if (type !== "pre") return inner
  const fence = "`".repeat(Math.max(3, ...[...inner.matchAll(/`+/g)].map(([run]) => run.length + 1)))
  return `${fence}${language ?? ""}\n${inner}\n${fence}`
}

export const forwarded = (origin: Origin, text: string): string => {
  const person = origin.sender_user?.first_name ?? origin.sender_user_name
  const from = person ?? origin.chat?.title ?? origin.sender_chat?.title ?? "somebody"
  return notMine(`Forwarded from ${oneLine(from)}`, text)
}

export const throughBot = (bot: string, text: string): string =>
  notMine(`Sent through @${oneLine(bot)}`, text)

/** The part of an earlier message that the speaker marked when answering it. */
export const quoting = (quote: string, text: string): string => `${quoted(quote)}\n\n${text}`

/** A name in one short line, so that it cannot pretend to be anything else. */
export const oneLine = (name: string): string =>
  name
    .replace(/[\p{C}\s]+/gu, " ")
    .trim()
    .slice(0, 64)
    .toWellFormed()

/** A person's name for people; the number where there is none. */
export const fullName = ({ id, first_name: first, last_name: last }: User): string =>
  oneLine([first, last].filter(Boolean).join(" ")) || String(id)

const notMine = (headline: string, text: string) =>
  `[${headline}: not the speaker's own words]\n${quoted(text)}`
const quoted = (text: string) => text.replace(/^/gm, "> ")
