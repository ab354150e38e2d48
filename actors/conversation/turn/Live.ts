/**
 * The words of a running turn as they come: the first gathered for 25 ms, then for 50 ms, on core NATS. Never stored: what
 * is missed here is in the final words. An answer that is complete before the first are due is not told here at all: its words
 * are on their way to the room.
 */
import * as Effect from "effect/Effect"
import {
  Bus,
  Subject,
  type AgentId,
  type ThreadId,
  type TurnId,
  type WorkspaceId,
} from "../../../runtime/index.ts"

export interface Live {
  readonly say: (delta: string) => void
  /** These words are about to be said for good: what was not told yet waits, in case more follow after all. */
  readonly hold: () => void
}

export const live = Effect.fnUntraced(function* (of: {
  readonly ws: WorkspaceId
  readonly thread: ThreadId
  readonly agent: AgentId
  readonly turn: TurnId
  readonly fence: number
}) {
  const bus = yield* Bus
  const subject = Subject.liveSubject(of.ws, of.thread, of.agent)
  const run = Effect.runForkWith(yield* Effect.context<never>())
  let n = 0
  let pending = ""
  let gathering = false
  let held = false
  const flush = () => {
    bus.tell(subject, JSON.stringify({ turn: of.turn, fence: of.fence, n: n++, text: pending }))
    pending = ""
  }
  const gather: Effect.Effect<void> = Effect.suspend(() => {
    if (pending === "" || held) {
      gathering = false
      return Effect.void
    }
    flush()
    return Effect.andThen(Effect.sleep("50 millis"), gather)
  })
  return {
    say: (delta: string): void => {
      pending += delta
      held = false
      if (gathering) return
      gathering = true
      run(Effect.andThen(Effect.sleep("25 millis"), gather))
    },
    hold: () => void (held = true),
  } satisfies Live
})
