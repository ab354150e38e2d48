/**
 * `Guard` as it is served: the caller's role against what the endpoint needs, and one sentence for a request that is not
 * as the API describes it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { HttpApiSchemaError } from "effect/http-api/HttpApiError"
import { BadRequest, Caller, covers, Forbidden, Guard, Needs, type Role, roleOf } from "../api/index.ts"

const needs = (endpoint: { readonly method: string; readonly annotations: Context.Context<never> }): Role =>
  Option.getOrElse(Context.getOption(endpoint.annotations, Needs), () =>
    endpoint.method === "GET" ? "viewer" : "operator",
  )

const where = { Payload: "The body", Query: "The query", Params: "The path", Headers: "A header" } as const

export const layer = Layer.succeed(Guard, (route, { endpoint }) =>
  Effect.gen(function* () {
    const role = roleOf(yield* Caller)
    const needed = needs(endpoint)
    if (role === null || !covers(role, needed)) {
      return yield* new Forbidden({
        error: `This needs the role ${needed}; ask an owner of this Troupe for it.`,
      })
    }
    return yield* route
  }).pipe(Effect.mapError((error) => (HttpApiSchemaError.is(error) ? described(error) : error))),
)

/** A response of ours that does not encode is a bug, and stays one. */
const described = (error: HttpApiSchemaError): BadRequest => {
  const part = where[error.kind as keyof typeof where]
  if (part === undefined) throw error
  return new BadRequest({ error: `${part} is not as expected: ${error.cause.message}` })
}
