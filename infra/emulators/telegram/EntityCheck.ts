/**
 * Telegram's rules for text and entities, applied strictly: where the real server silently repairs or drops, this one
 * refuses, so that a wrong UTF-16 offset fails a test instead of losing formatting.
 */
import { ApiError } from "./ApiError.ts"
import type { Entity } from "./World.ts"

const splittable = new Set(["bold", "italic", "underline", "strikethrough", "spoiler"])
const quotes = new Set(["blockquote", "expandable_blockquote"])
const alone = new Set(["code", "pre"])
const others = new Set(["text_link", "mention", "hashtag", "bot_command", "url", "email", "text_mention"])
const maxEntities = 100

/** The text and entities as they are stored: space around them is cut as the real server cuts it. */
export const check = (
  text: unknown,
  entities: unknown,
): { text: string; entities: ReadonlyArray<Entity> } => {
  if (typeof text !== "string" || text.trim() === "")
    throw new ApiError(400, "Bad Request: message text is empty")
  if (!text.isWellFormed()) throw new ApiError(400, "Bad Request: strings must be encoded in UTF-8")
  const list = entities === undefined || entities === null ? [] : entities
  if (!Array.isArray(list)) throw refuse("entities must be an array")
  if (list.length > maxEntities) throw refuse(`there are ${list.length} entities, more than ${maxEntities}`)
  const checked = (list as ReadonlyArray<Partial<Entity>>).map((entity) => one(text, entity))
  const sorted = checked.toSorted((a, b) => a.offset - b.offset || b.length - a.length || rank(a) - rank(b))
  for (let i = 0; i < sorted.length; i++)
    for (let j = i + 1; j < sorted.length && sorted[j]!.offset < end(sorted[i]!); j++)
      pair(sorted[i]!, sorted[j]!)
  return trim(text, sorted)
}

function one(text: string, entity: Partial<Entity>): Entity {
  const { type, offset, length } = entity
  if (typeof type !== "string") throw refuse("an entity has no type")
  if (!splittable.has(type) && !quotes.has(type) && !alone.has(type) && !others.has(type))
    throw refuse(`unknown entity type "${type}"`)
  if (!Number.isInteger(offset) || !Number.isInteger(length))
    throw refuse("offset and length must be whole numbers")
  if (offset! < 0 || length! <= 0 || offset! + length! > text.length)
    throw refuse(`${type} at ${offset}+${length} lies outside the text of ${text.length} units`)
  if (insidePair(text, offset!) || insidePair(text, offset! + length!))
    throw refuse(`${type} at ${offset}+${length} cuts a surrogate pair`)
  if (text.slice(offset, offset! + length!).trim() === "")
    throw refuse(`${type} at ${offset} covers only space`)
  if (type === "text_link" && !/^(https?|tg|mailto|tel|ton):\S+$/i.test(entity.url ?? ""))
    throw refuse(`text_link needs a URL, not "${entity.url}"`)
  return entity as Entity
}

function pair(outer: Entity, inner: Entity): void {
  if (end(inner) > end(outer)) throw refuse(`${outer.type} and ${inner.type} cross at ${inner.offset}`)
  const nests =
    outer.type !== inner.type &&
    (quotes.has(outer.type)
      ? !quotes.has(inner.type)
      : splittable.has(outer.type)
        ? !alone.has(inner.type)
        : !alone.has(outer.type) && splittable.has(inner.type))
  if (!nests) throw refuse(`${inner.type} may not be inside ${outer.type} (at ${inner.offset})`)
}

function trim(
  text: string,
  entities: ReadonlyArray<Entity>,
): { text: string; entities: ReadonlyArray<Entity> } {
  const last = text.trimEnd().length
  const first = Math.min(text.length - text.trimStart().length, entities[0]?.offset ?? Infinity)
  return {
    text: text.slice(first, last),
    entities: entities.map((e) => ({
      ...e,
      offset: e.offset - first,
      length: Math.min(end(e), last) - e.offset,
    })),
  }
}

/** Of two entities on the same words, which is the outer one. */
const rank = ({ type }: Entity) => (quotes.has(type) ? 0 : splittable.has(type) ? 1 : alone.has(type) ? 3 : 2)
const end = (entity: Entity) => entity.offset + entity.length
const insidePair = (text: string, at: number) =>
  /[\uDC00-\uDFFF]/.test(text[at] ?? "") && /[\uD800-\uDBFF]/.test(text[at - 1] ?? "")
const refuse = (why: string) => new ApiError(400, `Bad Request: can't parse MessageEntity: ${why}`)
