/**
 * The one HTTP server: page, API, webhooks and health, all behind the lock. Listens on loopback, or where
 * TRUSTED_PROXY allows.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import type { Hooks, Pairings, StoreError } from "../../runtime/index.ts"
import * as EnterRoute from "./EnterRoute.ts"
import * as HealthRoutes from "./HealthRoutes.ts"
import * as HookRoute from "./HookRoute.ts"
import * as LockMiddleware from "./LockMiddleware.ts"
import * as MetricsRoute from "./MetricsRoute.ts"
import { PageFiles } from "./PageFiles.ts"
import * as PageRoutes from "./PageRoutes.ts"
import { Accounts } from "./Accounts.ts"
import type { AgentsDesk } from "./AgentsDesk.ts"
import type { Audit } from "./Audit.ts"
import type { Insight } from "./insight/Insight.ts"
import type { People } from "./People.ts"
import * as ApiServer from "./ApiServer.ts"
import { ServerOptions } from "./ServerOptions.ts"
import { ListenError } from "./ListenError.ts"
import type { LiveRooms } from "./LiveRooms.ts"

const routes = Layer.mergeAll(
  HealthRoutes.layer,
  HookRoute.layer,
  MetricsRoute.layer,
  EnterRoute.layer,
  PageRoutes.layer.pipe(Layer.provide(PageFiles.layer)),
  ApiServer.layer,
)

const listening = Layer.unwrap(
  Effect.map(ServerOptions, ({ host, port }) =>
    NodeHttpServer.layer(() => createServer({ headersTimeout: 10_000, requestTimeout: 30_000 }), {
      host,
      port,
      // Streams stay open for ever; nothing else takes longer than this to answer.
      gracefulShutdownTimeout: "500 millis",
    }).pipe(
      Layer.catchTag("ServeError", ({ cause }) => Layer.effectContext(Effect.fail(listenError(port, cause)))),
    ),
  ),
)

const listenError = (port: number, cause: unknown): ListenError => {
  const code = (cause as { readonly code?: string } | null)?.code
  const message =
    code === "EADDRINUSE"
      ? `Port ${port} is in use; stop the program that has it, or set PORT to another one.`
      : `The server cannot listen on port ${port} (${code ?? "unknown"}); check HOST and PORT.`
  return new ListenError({ message })
}

/** Where the page is, and links into it. */
export class WebServer extends Context.Service<
  WebServer,
  {
    readonly url: string
    /** Where it listens; the one from Settings, unless that was 0. */
    readonly port: number
    /** A fresh one-time link, to print at start. */
    readonly newLink: Effect.Effect<string, StoreError>
  }
>()("troupe/admin/WebServer") {
  static readonly layer: Layer.Layer<
    WebServer | HttpServer.HttpServer,
    ListenError,
    Accounts | AgentsDesk | Audit | Hooks | Insight | LiveRooms | Pairings | People | ServerOptions
  > = Layer.suspend(() =>
    Layer.merge(
      HttpRouter.serve(Layer.provideMerge(routes, LockMiddleware.layer), {
        disableLogger: true,
        disableListenLog: true,
      }),
      Layer.effect(
        WebServer,
        Effect.gen(function* () {
          const accounts = yield* Accounts
          const url = yield* EnterRoute.baseUrl
          const link = yield* EnterRoute.linkTo
          const port = yield* EnterRoute.boundPort
          return WebServer.of({ url, port, newLink: Effect.flatMap(accounts.issueLink(null), link) })
        }),
      ),
    ).pipe(Layer.provideMerge(listening)),
  )
}
