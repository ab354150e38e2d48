/**
 * `/enter?token=`: the one-time link. It sets the session cookie and leads to `/` by a refresh rather than a
 * redirect, so that the strict cookie is sent even when the link was followed from another program. A browser that
 * only fetches ahead does not use the link up.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { cookieName } from "./LockMiddleware.ts"
import { Accounts } from "./Accounts.ts"
import { Audit } from "./Audit.ts"
import { ServerOptions } from "./ServerOptions.ts"
import { closedPage, enteringPage } from "./FrontDoor.ts"

export const boundPort = Effect.map(HttpServer.HttpServer, ({ address }) =>
  "port" in address ? address.port : 0,
)

/** The address people open: PUBLIC_URL, or where the server listens. */
export const baseUrl = Effect.gen(function* () {
  const { host, publicUrl } = yield* ServerOptions
  const port = yield* boundPort
  const name = publicUrl === null ? (host.includes(":") ? `[${host}]` : host) : ""
  return publicUrl === null ? `http://${name}:${port}` : publicUrl.origin
})

/** A link for a token, as it is printed at start. */
export const linkTo = Effect.map(
  baseUrl,
  (base) => (token: string) => Effect.succeed(`${base}/enter?token=${token}`),
)

export const layer = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const { publicUrl } = yield* ServerOptions
    const accounts = yield* Accounts
    const audit = yield* Audit
    const secure = publicUrl?.protocol === "https:"
    const cookie = cookieName(yield* boundPort, secure)

    yield* router.add("GET", "/enter", (request) =>
      Effect.gen(function* () {
        const ahead = (request.headers["sec-purpose"] ?? request.headers.purpose ?? "").includes("prefetch")
        const token = new URLSearchParams(request.url.split("?")[1] ?? "").get("token")
        if (ahead || token === null) return closedPage(ahead ? 503 : 401)
        const entered = yield* accounts
          .redeem(token, request.headers["user-agent"] ?? "")
          .pipe(Effect.catch(() => Effect.succeed("away" as const)))
        if (entered === "away") return closedPage(503)
        if (entered === null) return closedPage(401)
        const { id, name } = entered.person
        yield* audit
          .record({ who: { id, name, via: "link" }, action: "people.enter", subject: {}, detail: null })
          .pipe(Effect.ignore)
        return HttpServerResponse.setCookieUnsafe(enteringPage, cookie, entered.session, {
          httpOnly: true,
          sameSite: "strict",
          secure,
          path: "/",
        })
      }),
    )
  }),
)
