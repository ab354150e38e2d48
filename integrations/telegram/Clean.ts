/**
 * Postgres takes neither NUL nor lone surrogates, in text or in JSON. Both become U+FFFD, one unit for one unit, so
 * that the offsets of entities still hold.
 */
export const cleanText = (text: string): string =>
  (text.includes("\0") ? text.replaceAll("\0", "\uFFFD") : text).toWellFormed()

/** Deeper than any update of Telegram; deeper JSON is cut off, before it overflows somebody's stack. */
const deepest = 64

/** The same for every string and key of a JSON value. */
export const cleanJson = (value: unknown, depth = 0): unknown => {
  if (typeof value === "string") return cleanText(value)
  if (typeof value !== "object" || value === null) return value
  if (depth > deepest) return null
  if (Array.isArray(value)) return value.map((part) => cleanJson(part, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [cleanText(key), cleanJson(part, depth + 1)]),
  )
}
