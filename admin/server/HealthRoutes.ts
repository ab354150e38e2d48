/** `/healthz`: the process answers. `/readyz`: every integration is connected, or what is missing. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { ServerOptions } from "./ServerOptions.ts"

export const layer = Layer.mergeAll(
  HttpRouter.add("GET", "/healthz", HttpServerResponse.jsonUnsafe({ status: "alive" })),
  HttpRouter.use((router) =>
    Effect.flatMap(ServerOptions, ({ notReady }) =>
      router.add(
        "GET",
        "/readyz",
        Effect.map(notReady, (waiting) =>
          HttpServerResponse.jsonUnsafe(
            { status: waiting.length === 0 ? "ready" : "waiting", waiting },
            { status: waiting.length === 0 ? 200 : 503 },
          ),
        ),
      ),
    ),
  ),
)
