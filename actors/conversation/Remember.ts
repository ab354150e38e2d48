/** What a conversation keeps of a turn that ended: the transcript's tail, and how far the room was told. */
import * as Effect from "effect/Effect"
import type { Memory } from "./Memory.ts"
import type { Place } from "./Place.ts"
import { breakSegment } from "./ConversationStore.ts"
import type { Ended } from "./turn/Turn.ts"
import { heardBy, type Work } from "./turn/Work.ts"

export const remember = Effect.fnUntraced(function* (
  place: Place,
  { tail: before }: Memory,
  work: Work,
  { broken, spoke }: Extract<Ended, { status: "done" }>,
) {
  const upTo = heardBy(work.lines)
  const { segment, turn, lines, tokens, frozenText, words } = work
  if (broken) {
    const heard = Math.max(upTo, ...words.map((w) => w.pos))
    const tail = yield* breakSegment(place.agent, place.thread, { segment, turn, heard })
    return { tail, tokens: undefined } satisfies Memory
  }
  // Its own words need no telling, where nothing unheard stands before them.
  const heard = spoke !== null && spoke.prev <= upTo ? spoke.pos : upTo
  const told = new Map(
    [...(before?.told ?? []), ...words.map((w) => [w.id, w.pos] as const)].filter(([, pos]) => pos > heard),
  )
  return { tail: { segment, frozen: frozenText, lines, heard, told }, tokens } satisfies Memory
})
