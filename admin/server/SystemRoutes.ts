/** The handlers of `SystemApi`. */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api, Caller, Misconfigured } from "../api/index.ts"
import { boundPort, linkTo } from "./EnterRoute.ts"
import { LiveRooms } from "./LiveRooms.ts"
import { cookieName } from "./LockMiddleware.ts"
import { ServerOptions } from "./ServerOptions.ts"
import { Accounts } from "./Accounts.ts"
import { unavailable } from "./Unavailable.ts"

const nobody = { user: "nobody", name: "Nobody", role: "viewer" } as const

export const layer = HttpApiBuilder.group(
  Api,
  "system",
  Effect.fnUntraced(function* (handlers) {
    const rooms = yield* LiveRooms
    const accounts = yield* Accounts
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
        Effect.map(Caller, (caller) => {
          // The guard lets nobody in whom it does not know.
          const { user, name, role } = caller.kind === "none" ? nobody : caller.person
          return { id: user, door: rooms.door, name, role }
        }),
      status: () => rooms.status,
      apply: () => applied,
      link: () =>
        Effect.map(Effect.flatMap(accounts.issueLink(null), link), (url) => ({ url })).pipe(
          Effect.mapError(unavailable),
        ),
      leave: () =>
        Effect.gen(function* () {
          const caller = yield* Caller
          if (caller.kind === "cookie") yield* accounts.end(caller.session).pipe(Effect.mapError(unavailable))
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
