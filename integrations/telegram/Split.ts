/**
 * Cuts a long answer into parts that each fit one message after formatting. Pure and deterministic.
 *
 * Invariants: the slices of `cut` follow each other without a gap, so that joined they are the source, unit for unit; a part
 * never begins inside a surrogate pair; a cut does not change what is seen on either side of it (no entity is
 * divided), as long as there is such a place. A code block longer than a message is closed and opened again around
 * the cut: `open` and `close` hold those marks, and nothing else.
 */
import { formatAll, maxEntities } from "./Entities.ts"
import type { Formatted } from "./Writer.ts"

export const maxText = 4096
/** Room for the name of the agent above the text. */
export const maxSignature = 128
const limit = maxText - maxSignature

export interface Slice {
  readonly from: number
  readonly to: number
  readonly open: string
  readonly close: string
}

export const split = (source: string): ReadonlyArray<string> =>
  cut(source).map(({ from, to, open, close }) => open + source.slice(from, to) + close)

export const cut = (source: string): ReadonlyArray<Slice> => {
  const slices: Array<Slice> = []
  let from = 0
  let open = ""
  while (from < source.length) {
    const rest = source.slice(from)
    if (rest.length <= limit * 4 && fits(open + rest)) break
    const clean = cleanPlace(rest, open)
    const { to, close, reopen } =
      clean === undefined ? hardCut(source, from, open) : { to: from + clean, close: "", reopen: "" }
    slices.push({ from, to, open, close })
    from = to
    open = reopen
  }
  if (from < source.length || slices.length === 0) slices.push({ from, to: source.length, open, close: "" })
  return withoutBlanks(source, slices)
}

/** Emphasis beyond Telegram's number is dropped, links are not: they make another part. */
function fits(markdown: string): boolean {
  const { text, entities } = formatAll(markdown)
  return text.length <= limit && entities.filter(({ type }) => type === "text_link").length <= maxEntities
}

/** Where to end the first part of `rest` so that nothing looks different, the best places first. */
function cleanPlace(rest: string, open: string): number | undefined {
  const room = limit - open.length
  const window = rest.slice(0, room)
  const least = Math.floor(room * 0.3)
  for (const boundary of [/\n\s*\n/g, /\n/g, /[.!?…。！？]["')\]]?\s/g, /\s/g]) {
    const places = [...window.matchAll(boundary)].map((match) => match.index + match[0].length)
    const late = places.filter((at) => at >= least).toReversed()
    const clean = tries.flatMap((n) => late[n] ?? []).find((at) => isClean(open, rest, at))
    if (clean !== undefined) return clean
  }
  return undefined
}

/** A cut through something: at a line, a space or at least a character; an open code block is closed and reopened. */
function hardCut(source: string, from: number, open: string) {
  for (let room = limit - open.length; ; room = Math.floor(room * 0.8)) {
    const to = from + hardPlace(source.slice(from, from + room + 1), room)
    const fence = fenceAt(open + source.slice(from, to))
    const close = fence === null ? "" : `${source[to - 1] === "\n" ? "" : "\n"}${fence.close}`
    if (room < 8 || fits(open + source.slice(from, to) + close))
      return { to, close, reopen: fence?.open ?? "" }
  }
}

/** Which places to try, counted from the last. */
const tries = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233]

/** Looks the same cut as whole, on both sides. */
function isClean(open: string, rest: string, at: number): boolean {
  const left = open + rest.slice(0, at)
  const right = rest.slice(at, at + limit)
  return fits(left) && seen(formatAll(left)) + seen(formatAll(right)) === seen(formatAll(left + right))
}

/** What a reader sees, without regard to space. */
function seen({ text, entities }: Formatted): string {
  const marks = entities
    .flatMap(({ type, offset, length }) => [
      [offset, `<${type}>`] as const,
      [offset + length, `</${type}>`] as const,
    ])
    .toSorted(([a], [b]) => a - b)
  let shown = ""
  let at = 0
  for (const [to, mark] of marks) {
    shown += text.slice(at, to) + mark
    at = to
  }
  return (shown + text.slice(at)).replace(/\s+/g, "")
}

/** The last line break, space or whole character within `room`. */
function hardPlace(rest: string, room: number): number {
  const window = rest.slice(0, Math.max(2, room))
  const least = Math.floor(window.length * 0.3)
  const at =
    Math.max(window.lastIndexOf("\n"), window.lastIndexOf("\n") >= least ? -1 : window.lastIndexOf(" ")) + 1
  if (at >= Math.max(1, least)) return at
  const end = window.length
  return end < rest.length && /[\uD800-\uDBFF]/.test(rest[end - 1]!) && /[\uDC00-\uDFFF]/.test(rest[end]!)
    ? end - 1
    : end
}

/** The code block that is still open at the end of the text. */
function fenceAt(text: string): { readonly open: string; readonly close: string } | null {
  let fence: { open: string; close: string; mark: string; prefix: string } | null = null
  for (const line of text.split("\n")) {
    const [, prefix = "", mark = "", info = ""] =
      /^((?:[ \t>]|[-*+] |\d+[.)] )*)(`{3,}|~{3,})(.*)$/.exec(line) ?? []
    if (mark === "") continue
    if (fence === null) {
      if (mark.startsWith("`") && info.includes("`")) continue
      const inner = prefix.replace(/[^>\t]/g, " ")
      fence = { open: `${inner}${mark}${info}\n`, close: `${inner}${mark}\n`, mark, prefix: inner }
    } else if (mark.startsWith(fence.mark) && info.trim() === "") fence = null
  }
  return fence
}

/** Telegram takes no message of nothing but space: such a slice goes with the one before it, or the next. */
function withoutBlanks(source: string, slices: ReadonlyArray<Slice>): ReadonlyArray<Slice> {
  const kept: Array<Slice> = []
  for (const slice of slices) {
    const last = kept.at(-1)
    const blank = ({ from, to }: Slice) => source.slice(from, to).trim() === ""
    if (last !== undefined && last.close === "" && (blank(slice) || blank(last)))
      kept[kept.length - 1] = { ...slice, from: last.from, open: last.open }
    else kept.push(slice)
  }
  return kept
}
