/**
 * Cuts a long answer for comments of at most 65,536 characters. The slices joined are the source, to the byte. A cut falls
 * between paragraphs outside of code where there is such a place in the second half, else between lines, else between
 * characters, never inside one.
 */

/** GitHub's limit, less the signature, the receipts and the mark. */
export const maxText = 58_000

export const split = (text: string, most = maxText): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let rest = text
  while (rest.length > most) {
    const at = cut(rest, most)
    parts.push(rest.slice(0, at))
    rest = rest.slice(at)
  }
  return parts.length > 0 && rest === "" ? parts : [...parts, rest]
}

function cut(text: string, most: number): number {
  const least = most / 2
  let [paragraph, line, at] = [0, 0, 0]
  let fence: string | undefined
  let blank = false
  while (at < most) {
    const next = text.indexOf("\n", at)
    const end = next === -1 ? text.length : next + 1
    if (end > most) break
    const here = text.slice(at, end)
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(here)?.[1]
    if (mark !== undefined) {
      if (fence === undefined) fence = mark
      else if (mark.startsWith(fence)) fence = undefined
    }
    blank = here.trim() === ""
    if (fence === undefined && (blank || mark !== undefined)) paragraph = end
    line = end
    at = end
  }
  if (paragraph > least) return paragraph
  if (line > least) return line
  return whole(text, most)
}

/** Not between the halves of a character. */
const whole = (text: string, at: number): number => {
  const code = text.charCodeAt(at - 1)
  return code >= 0xd800 && code <= 0xdbff ? at - 1 : at
}
