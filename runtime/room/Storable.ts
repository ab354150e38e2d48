/**
 * Postgres takes neither NUL nor half characters in JSON. What a model or a tool wrote may have both: they become U+FFFD, so
 * that no statement is refused for a character. The same value comes back when there is nothing to change.
 */
export const storableText = (text: string): string =>
  (text.includes("\0") ? text.replaceAll("\0", "\uFFFD") : text).toWellFormed()

export const storable = <A>(value: A): A => change(value) as A

const change = (value: unknown): unknown => {
  if (typeof value === "string") return storableText(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) {
    const next = value.map(change)
    return next.some((v, i) => v !== value[i]) ? next : value
  }
  let next: Record<string, unknown> | undefined
  for (const [key, item] of Object.entries(value)) {
    const changed = change(item)
    if (changed !== item) (next ??= { ...value })[key] = changed
  }
  return next ?? value
}
