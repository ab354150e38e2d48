/** What every `Model` keeps: run by the memory layer and by the adapter over a socket. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Model, ModelRequest } from "./Model.ts"

/** The other side, told what to do with the next call. `arrived` resolves when that call is there. */
export interface Subject {
  readonly model: Model["Service"]
  readonly answers: (text: string) => void
  readonly refuses: () => void
  readonly hangs: () => { readonly arrived: Effect.Effect<void>; readonly gone: Effect.Effect<void> }
}

export const request: ModelRequest = {
  model: "claude-sonnet-5-5",
  maxTokens: 1000,
  system: ["You are Ada."],
  tools: [],
  messages: [{ role: "user", content: [{ type: "text", text: "Hello" }] }],
}

export const suite = (name: string, open: Effect.Effect<Subject, never, Scope.Scope>): void => {
  describe(name, () => {
    it.live("hands every word on in order before it returns the whole reply", () =>
      Effect.gen(function* () {
        const { model, answers } = yield* open
        answers("One two three.")
        const heard: Array<string> = []
        const reply = yield* model.call(request, (delta) => heard.push(delta))
        expect(heard.join("")).toBe("One two three.")
        expect(reply.content.at(-1)).toMatchObject({ type: "text", text: "One two three." })
        expect(reply.stopReason).toBe("end_turn")
      }),
    )

    it.live("fails with a ModelError that says whether to repeat the call", () =>
      Effect.gen(function* () {
        const { model, refuses } = yield* open
        refuses()
        const error = yield* Effect.flip(model.call(request, () => {}))
        expect(error._tag).toBe("ModelError")
        expect(error).toMatchObject({ kind: "overloaded", retry: "later" })
      }),
    )

    it.live("lets go of the call when it is interrupted", () =>
      Effect.gen(function* () {
        const { model, hangs } = yield* open
        const { arrived, gone } = hangs()
        const fiber = yield* Effect.forkChild(model.call(request, () => {}))
        yield* arrived
        yield* Fiber.interrupt(fiber)
        yield* gone
      }).pipe(Effect.timeout("10 seconds")),
    )
  })
}
