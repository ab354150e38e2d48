/** The handlers of `SystemApi`. */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { owner } from "../../integrations/web/index.ts"
import { Api, Caller, Misconfigured, roleOf } from "../api/index.ts"
import { boundPort, linkTo } from "./EnterRoute.ts"
import { LiveRooms } from "./LiveRooms.ts"
import { cookieName } from "./LockMiddleware.ts"
import { ServerOptions } from "./ServerOptions.ts"
import { Sessions } from "./Sessions.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "system",
  Effect.fnUntraced(function* (handlers) {
    const rooms = yield* LiveRooms
    const sessions = yield* Sessions
    const { apply, publicUrl } = yield* ServerOptions
    const applied = Effect.mapError(apply, (error) =>
      error._tag === "ConfigError"
        ? new Misconfigured({ error: error.message, problems: error.problems })
        : error,
    )
    const link = yield* linkTo
    const secure = publicUrl?.protocol === "https:"
    const cookie = cookieName(yield* boundPort, secure)
    return handlers.handleAll({
      me: () =>
        Effect.map(Caller, (caller) => ({
          ...owner,
          door: rooms.door,
          // The guard lets nobody in without one.
          role: roleOf(caller) ?? "viewer",
        })),
      status: () => rooms.status,
      apply: () => applied,
      link: () => Effect.map(Effect.flatMap(sessions.issueLink, link), (url) => ({ url })),
      leave: () =>
        Effect.gen(function* () {
          const caller = yield* Caller
          if (caller.kind === "cookie") yield* sessions.end(caller.session)
          return HttpServerResponse.expireCookieUnsafe(
            HttpServerResponse.jsonUnsafe({ left: true }),
            cookie,
            {
              path: "/",
              secure,
            },
          )
        }),
    })
  }),
)
