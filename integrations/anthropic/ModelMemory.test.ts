import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { layerMemory, replyOf } from "./ModelMemory.ts"
import { Model, ModelError } from "./Model.ts"
import { suite } from "./Model.suite.ts"

suite(
  "the model in memory",
  Effect.gen(function* () {
    let respond: Parameters<typeof layerMemory>[0] = () => Effect.succeed(replyOf(""))
    const context = yield* Layer.build(layerMemory((request) => respond(request)))
    return {
      model: Context.get(context, Model),
      answers: (text) => void (respond = () => Effect.succeed(replyOf(text))),
      refuses: () => {
        const error = {
          kind: "overloaded",
          retry: "later",
          afterMs: null,
          message: "busy",
          cause: null,
        } as const
        respond = () => Effect.fail(new ModelError(error))
      },
      hangs: () => {
        const arrived = Deferred.makeUnsafe<void>()
        const gone = Deferred.makeUnsafe<void>()
        respond = () =>
          Effect.andThen(Deferred.succeed(arrived, undefined), Effect.never).pipe(
            Effect.onInterrupt(() => Deferred.succeed(gone, undefined)),
          )
        return { arrived: Deferred.await(arrived), gone: Deferred.await(gone) }
      },
    }
  }),
)
