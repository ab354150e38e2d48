/**
 * Postgres takes neither NUL nor lone surrogates, in text or in JSON. Both become U+FFFD, one unit for one unit, so
 * that the offsets of entities still hold.
 */
export const cleanText = (text: string): string =>
  (text.includes("\0") ? text.replaceAll("\0", "\uFFFD") : text).toWellFormed()

/** The same for every string and key of a JSON value. */
export const cleanJson = (value: unknown): unknown => {
  if (typeof value === "string") return cleanText(value)
  if (Array.isArray(value)) return value.map(cleanJson)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [cleanText(key), cleanJson(part)]))
}
