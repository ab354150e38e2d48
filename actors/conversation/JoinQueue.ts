/** Words that joined a running turn and wait to be taken in, in order. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { MessageEvent } from "../../runtime/index.ts"
import type { Joining } from "./turn/Turn.ts"

export class JoinQueue implements Joining {
  private words: Array<MessageEvent>
  private arrived = Deferred.makeUnsafe<void>()
  readonly boundary: () => void

  /** `boundary` is called whenever the turn will take in words soon. */
  constructor(words: ReadonlyArray<MessageEvent>, boundary: () => void) {
    this.words = [...words]
    this.boundary = boundary
    if (words.length > 0) Deferred.doneUnsafe(this.arrived, Effect.void)
  }

  add(word: MessageEvent): void {
    this.words.push(word)
    Deferred.doneUnsafe(this.arrived, Effect.void)
  }

  readonly take = (): ReadonlyArray<MessageEvent> => {
    const words = this.words
    this.words = []
    if (Deferred.isDoneUnsafe(this.arrived)) this.arrived = Deferred.makeUnsafe<void>()
    return words
  }

  readonly some = Effect.suspend(() => Deferred.await(this.arrived))
}
