/**
 * Takes secrets out of text: every value the process knows, and everything that looks like a token of a vendor.
 * Used on the hot path (room events, logs), so one pass over the text finds all known values at once.
 *
 * Invariants: no known value of 8 characters or more survives, whole, in `redact(text)`, neither plain nor as JSON
 * or URL text; text without secrets is returned as the same string.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { hidden, hidePatterns } from "./SecretPatterns.ts"

export class Redaction extends Context.Service<
  Redaction,
  {
    /** Makes `value` known for the life of the process. Values under 8 characters are too common and are ignored. */
    readonly add: (value: string) => void
    readonly redact: (text: string) => string
    /** The same for every string in a JSON value; returns the same value when nothing was found. */
    readonly redactJson: <A>(value: A) => A
  }
>()("troupe/secrets/Redaction") {
  static readonly layer = Layer.sync(Redaction, () => Redaction.of(makeRedaction()))
}

export const makeRedaction = (): Redaction["Service"] => {
  const known = new Set<string>()
  /** Known values by their first four characters, longest first; `filter` says quickly that there is none. */
  const byHead = new Map<number, Array<string>>()
  const filter = new Uint8Array(filterSize)

  const add = (value: string): void => {
    for (const form of [
      value,
      JSON.stringify(value).slice(1, -1),
      encodeURIComponent(value.toWellFormed()),
    ]) {
      if (form.length < shortest || known.has(form)) continue
      known.add(form)
      const head = headOf(form)
      byHead.set(
        head,
        [...(byHead.get(head) ?? []), form].sort((a, b) => b.length - a.length),
      )
      filter[slot(head)] = 1
    }
  }

  const hideKnown = (text: string): string => {
    const last = text.length - shortest
    let out = ""
    let from = 0
    // The low bytes of the four characters that begin at i, kept while i moves.
    let head = headOf(text)
    for (let i = 0; i <= last; i++, head = (head >>> 8) | (text.charCodeAt(i + 3) << 24)) {
      if (i < from || filter[slot(head)] === 0) continue
      const found = byHead.get(head >>> 0)?.find((value) => text.startsWith(value, i))
      if (found === undefined) continue
      out += text.slice(from, i) + hidden
      from = i + found.length
    }
    return from === 0 ? text : out + text.slice(from)
  }

  const redact = (text: string): string => hidePatterns(known.size === 0 ? text : hideKnown(text))
  const redactJson = <A>(value: A): A => mapStrings(value, redact) as A
  return { add, redact, redactJson }
}

const shortest = 8
const filterSize = 4096

/** The low bytes of the first four characters: equal texts have equal heads. */
const headOf = (text: string): number =>
  ((text.charCodeAt(0) & 255) |
    ((text.charCodeAt(1) & 255) << 8) |
    ((text.charCodeAt(2) & 255) << 16) |
    (text.charCodeAt(3) << 24)) >>>
  0
const slot = (head: number): number => Math.imul(head, 0x9e3779b1) >>> 20

const mapStrings = (value: unknown, change: (text: string) => string): unknown => {
  if (typeof value === "string") return change(value)
  if (Array.isArray(value)) {
    let same = true
    const out = value.map((item: unknown) => {
      const next = mapStrings(item, change)
      if (next !== item) same = false
      return next
    })
    return same ? value : out
  }
  if (typeof value !== "object" || value === null) return value
  let out: Record<string, unknown> | undefined
  for (const [key, item] of Object.entries(value)) {
    const next = mapStrings(item, change)
    if (next !== item) (out ??= { ...value })[key] = next
  }
  return out ?? value
}
