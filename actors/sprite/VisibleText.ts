/**
 * Bytes of a program as text that a model can read and Postgres can store: invalid UTF-8, NUL and other control
 * characters become `\xHH`, colours are taken out, and of a line that was overwritten by carriage returns the last
 * state stays, as on a terminal.
 */
import type { KeptOutput } from "./KeptOutput.ts"

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

export const visibleText = (bytes: Uint8Array): string =>
  decode(bytes)
    // oxlint-disable-next-line no-control-regex
    .replace(/\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))/g, "")
    .replace(/\r+\n/g, "\n")
    .replace(/^[^\n]*\r(?=[^\n])/gm, "")
    // oxlint-disable-next-line no-control-regex
    .replace(/[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]/g, (char) => hex(char.charCodeAt(0)))

const hex = (byte: number): string => `\\x${byte.toString(16).padStart(2, "0")}`

const decode = (bytes: Uint8Array): string => {
  const whole = valid(bytes)
  if (whole !== null) return whole
  let text = ""
  let from = 0
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at)
    if (length > 0) {
      at += length
      continue
    }
    text += strict.decode(bytes.subarray(from, at)) + hex(bytes[at]!)
    at += 1
    from = at
  }
  return text + strict.decode(bytes.subarray(from))
}

const valid = (bytes: Uint8Array): string | null => {
  try {
    return strict.decode(bytes)
  } catch {
    return null
  }
}

/** Length of the valid UTF-8 sequence at `at`, 0 if there is none. */
const sequenceLength = (bytes: Uint8Array, at: number): number => {
  const first = bytes[at]!
  if (first < 0x80) return 1
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0
  if (length === 0 || at + length > bytes.length) return 0
  return valid(bytes.subarray(at, at + length)) === null ? 0 : length
}

/** At most `most` characters: the beginning and the end, and between them a line that says what is missing. */
export const capText = (text: string, most: number, where: string | null): string => {
  if (text.length <= most) return text
  const half = Math.floor(most / 2)
  const head = text.slice(0, half).replace(/[\uD800-\uDBFF]$/, "")
  const tail = text.slice(-half).replace(/^[\uDC00-\uDFFF]/, "")
  const missing = text.length - head.length - tail.length
  const note = `[... ${missing} characters left out${where === null ? "" : `; read them in ${where}`} ...]`
  return `${head}\n${note}\n${tail}`
}

/** Enough bytes for half a result, whatever the characters and colours. */
const LOOK_AT = 128 * 1024

/** A command's output as at most `most` characters; `complete` when nothing is left out. */
export const shownOutput = (
  output: KeptOutput,
  most: number,
  where: string | null,
): { readonly text: string; readonly complete: boolean } => {
  const { bytes } = output
  if (output.total <= 2 * LOOK_AT) {
    const text = visibleText(bytes)
    return { text: capText(text, most, where), complete: text.length <= most }
  }
  const half = Math.floor(most / 2)
  const head = visibleText(bytes.subarray(0, LOOK_AT))
    .slice(0, half)
    .replace(/[\uD800-\uDBFF]$/, "")
  const tail = visibleText(bytes.subarray(-LOOK_AT))
    .slice(-half)
    .replace(/^[\uDC00-\uDFFF]/, "")
  const note = `[... the middle of ${output.total} bytes is left out${where === null ? "" : `; read it in ${where}`} ...]`
  return { text: `${head}\n${note}\n${tail}`, complete: false }
}
