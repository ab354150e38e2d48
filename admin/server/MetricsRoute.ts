/** `/metrics`: for Prometheus, behind the same lock as the API (a scraper sends the CLI's token as bearer). */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { errorJson } from "./ErrorJson.ts"
import { ServerOptions } from "./ServerOptions.ts"

const contentType = "text/plain; version=0.0.4; charset=utf-8"

export const layer = HttpRouter.use((router) =>
  Effect.flatMap(ServerOptions, ({ metrics }) =>
    router.add(
      "GET",
      "/metrics",
      metrics.pipe(
        Effect.map((text) => HttpServerResponse.text(text, { contentType })),
        Effect.catch(() => Effect.succeed(errorJson(503, "The database does not answer."))),
      ),
    ),
  ),
)
