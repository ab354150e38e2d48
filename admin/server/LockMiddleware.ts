/**
 * Puts `judge` in front of every route, and the security headers behind every answer. Errors become JSON here; an
 * unexpected one is logged and shows nothing.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import { createHash, timingSafeEqual } from "node:crypto"
import { Caller, type CallerKind } from "../api/index.ts"
import { StoreError } from "../../runtime/index.ts"
import { announcesMore, capped, isTooLarge, maxJsonBytes, tooLarge } from "./Body.ts"
import { errorJson } from "./ErrorJson.ts"
import { type Facts, isOpen, judge, originsOf } from "./Lock.ts"
import { refusePeer } from "./Peers.ts"
import { Accounts } from "./Accounts.ts"
import { ServerOptions } from "./ServerOptions.ts"

export const cookieName = (port: number, secure: boolean): string =>
  secure ? "__Host-troupe" : `troupe_${port}`

const headers = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "x-frame-options": "DENY",
}

/** For every route of the server, whoever adds it. */
export const layer = HttpRouter.middleware(
  Effect.gen(function* () {
    const door = yield* ServerOptions
    const accounts = yield* Accounts
    const { address } = yield* HttpServer.HttpServer
    const port = "port" in address ? address.port : 0
    const allowed = originsOf(port, door.host, door.publicUrl)
    const cookie = cookieName(port, door.publicUrl?.protocol === "https:")
    const cliHash = sha256(Redacted.value(door.cliToken))

    const nobody: CallerKind = { kind: "none" }
    const programOf = Effect.fnUntraced(function* (bearer: string) {
      if (timingSafeEqual(sha256(bearer), cliHash))
        return { kind: "token", via: "command line", person: yield* accounts.owner } as CallerKind
      const known = bearer.startsWith("trp_") ? yield* accounts.program(bearer) : null
      return known === null ? nobody : ({ kind: "token", via: "token", person: known.person } as CallerKind)
    })
    const callerOf = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
      const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1]
      if (bearer !== undefined) return yield* programOf(bearer)
      const session = request.cookies[cookie]
      const known = session === undefined ? null : yield* accounts.session(session)
      if (session === undefined || known === null) return nobody
      const { person, provedSeconds } = known
      return { kind: "cookie", session, person, provedSeconds: provedSeconds ?? 0 } as CallerKind
    })

    return (route) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        yield* HttpEffect.appendPreResponseHandler((_, response) =>
          Effect.succeed(
            HttpServerResponse.setHeaders(response, {
              // Unless the answer says that it may be kept.
              "cache-control": "no-store",
              ...headers,
              ...response.headers,
            }),
          ),
        )
        const path = request.url.split(/[?#]/, 1)[0] ?? "/"
        if (!isOpen(path) && refusePeer(door.peers, Option.getOrUndefined(request.remoteAddress))) {
          return errorJson(403, "Only the proxy named in TRUSTED_PROXY may connect here.")
        }
        const caller = isOpen(path) || path.startsWith("/page/") ? nobody : yield* callerOf(request)
        const verdict = judge(factsOf(request, path, caller.kind), allowed)
        if (verdict !== "pass") return errorJson(verdict.status, verdict.message)
        const api = path.startsWith("/api/")
        if (api && announcesMore(request, maxJsonBytes)) return tooLarge(maxJsonBytes)
        return yield* Effect.provideService(api ? capped(maxJsonBytes)(route) : route, Caller, caller)
      }).pipe(
        Effect.catch((error) =>
          error instanceof StoreError
            ? Effect.succeed(
                errorJson(503, "The database does not answer; try again in a moment. Nothing was lost."),
              )
            : isMissing(error)
              ? Effect.succeed(errorJson(404, "There is nothing here."))
              : Effect.fail(error),
        ),
        Effect.catchDefect((defect) =>
          isTooLarge(defect)
            ? Effect.succeed(tooLarge(maxJsonBytes))
            : Effect.logError("A request failed unexpectedly", defect).pipe(
                Effect.as(errorJson(500, "Something went wrong here; the log has the details.")),
              ),
        ),
      )
  }),
  { global: true },
)

const isMissing = (error: unknown): boolean =>
  error instanceof HttpServerError.HttpServerError && error.reason._tag === "RouteNotFound"

const factsOf = (
  request: HttpServerRequest.HttpServerRequest,
  path: string,
  credential: Facts["credential"],
): Facts => ({
  method: request.method,
  path,
  host: request.headers.host,
  origin: request.headers.origin,
  fetchSite: request.headers["sec-fetch-site"],
  contentType: request.headers["content-type"],
  credential,
})

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest()
