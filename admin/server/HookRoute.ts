/** `POST /hooks/<integration name>`: the raw bytes to the integration, which verifies them and says the status. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Hooks } from "../../runtime/index.ts"
import * as Body from "./Body.ts"
import { errorJson } from "./ErrorJson.ts"

export const layer = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const hooks = yield* Hooks
    yield* router.add("POST", "/hooks/:name", (request) =>
      Effect.gen(function* () {
        const { name = "" } = yield* HttpRouter.params
        const hook = hooks.find(name)
        if (hook === undefined) return errorJson(404, "There is no such hook.")
        const body = yield* Body.bytes(request, hook.maxBytes)
        const answer = yield* hook.handler({ headers: request.headers, body })
        return HttpServerResponse.text(answer.body, { status: answer.status })
      }).pipe(Effect.catch((answer) => Effect.succeed(answer))),
    )
  }),
)
