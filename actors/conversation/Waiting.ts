/** Words that wait for the running turn of their thread: pure, in the order of the room (P2), each once. */
import type { Word } from "./Messages.ts"

export type Waiting = ReadonlyArray<Word>

/** Words that wait already keep their place; what came now is what will be acknowledged. */
export const insert = (waiting: Waiting, word: Word): Waiting =>
  [...without(waiting, word.event.id), word].toSorted((a, b) => a.event.pos - b.event.pos)

export const find = (waiting: Waiting, event: string): Word | undefined =>
  waiting.find((w) => w.event.id === event)

export const without = (waiting: Waiting, event: string): Waiting =>
  waiting.filter((w) => w.event.id !== event)
