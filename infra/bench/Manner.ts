/** How the emulated model behaves in a section. */
import { say, type Speech } from "../emulators/anthropic/index.ts"

export interface Manner {
  /** Each question costs one tool call with this name and input first. */
  readonly tool?: { readonly name: string; readonly input: Readonly<Record<string, unknown>> }
  /** The answer is streamed over so long. */
  readonly streamMs?: number
}

const words = 24
/** Besides the words there are a head of two events, the answer and a tail of three. */
const events = words + 7

export const streamed = (q: string, ms: number): Speech =>
  say(`About ${q}: ${"words ".repeat(words)}The answer to ${q}.`, {
    deltaChars: 4,
    eventDelayMs: ms / events,
  })

/** The first words leave behind the head. */
export const firstTokenAfter = (ms: number): number => (2 * ms) / events
