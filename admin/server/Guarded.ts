/**
 * `Guard` as it is served: the caller's role against what the endpoint needs, a fresh proof where that is asked for, one sentence
 * for a request that is not as the API describes it, and an entry in the audit log for every change that was made. What is said in
 * rooms is in their logs.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import { HttpApiSchemaError } from "effect/http-api/HttpApiError"
import {
  BadRequest,
  Caller,
  type CallerKind,
  covers,
  Forbidden,
  Fresh,
  Guard,
  Needs,
  Private,
  type Role,
} from "../api/index.ts"
import { Audit } from "./Audit.ts"

/** So long a proof counts as fresh. */
const freshSeconds = 600

interface Endpoint {
  readonly method: string
  readonly identifier: string
  readonly annotations: Context.Context<never>
}

const needs = ({ method, annotations }: Endpoint): Role =>
  Option.getOrElse(Context.getOption(annotations, Needs), () => (method === "GET" ? "viewer" : "operator"))
const is = ({ annotations }: Endpoint, mark: typeof Fresh | typeof Private): boolean =>
  Option.isSome(Context.getOption(annotations, mark as typeof Fresh))

const where = { Payload: "The body", Query: "The query", Params: "The path", Headers: "A header" } as const

const refusal = (caller: CallerKind, endpoint: Endpoint): string | undefined => {
  const needed = needs(endpoint)
  if (caller.kind === "none" || !covers(caller.person.role, needed))
    return `This needs the role ${needed}; ask an owner of this Troupe for it.`
  if (is(endpoint, Fresh) && caller.kind === "cookie" && caller.provedSeconds > freshSeconds)
    return "Show again that it is you: run `npx troupe link` where Troupe runs, or ask for a new link, and open it."
  return undefined
}

/** Endpoints that change nothing of the company, or whose log is the room. */
const unaudited = new Set(["rooms.say", "system.leave"])

export const layer = Layer.effect(
  Guard,
  Effect.map(
    Audit,
    (audit) =>
      (route, { endpoint, group }) =>
        Effect.gen(function* () {
          const caller = yield* Caller
          const refused = refusal(caller, endpoint)
          if (refused !== undefined || caller.kind === "none")
            return yield* new Forbidden({ error: refused ?? "" })
          const response = yield* route
          const action = `${group.identifier}.${endpoint.identifier}`
          if (endpoint.method !== "GET" && response.status < 400 && !unaudited.has(action)) {
            const { id, name } = caller.person
            const via = caller.kind === "cookie" ? "page" : caller.via
            const subject = yield* HttpRouter.params
            const detail = is(endpoint, Private) ? { body: "not kept" } : yield* bodyOf
            // What was done stays done; that it could not be told of is in the log.
            yield* audit
              .record({ who: { id, name, via }, action, subject, detail })
              .pipe(
                Effect.catch((e) =>
                  Effect.logError(`the audit log misses ${action} by ${name}: ${e.message}`),
                ),
              )
          }
          return response
        }).pipe(Effect.mapError((error) => (HttpApiSchemaError.is(error) ? described(error) : error))),
  ),
)

/** The body is read once and kept by the request. */
const bodyOf = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
  Effect.map(request.text, (text) => (text === "" || text === "{}" ? null : (JSON.parse(text) as unknown))),
).pipe(Effect.catch(() => Effect.succeed(null)))

/** A response of ours that does not encode is a bug, and stays one. */
const described = (error: HttpApiSchemaError): BadRequest => {
  const part = where[error.kind as keyof typeof where]
  if (part === undefined) throw error
  return new BadRequest({ error: `${part} is not as expected: ${error.cause.message}` })
}
