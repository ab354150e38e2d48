/** How the server is set up, from the environment and from what the composition root knows. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { type ConfigError, Settings, type StoreError } from "../../runtime/index.ts"
import { type Peers, peersFor } from "./Peers.ts"
import type { Conflict, Unavailable } from "../api/index.ts"
import { ListenError } from "./ListenError.ts"

export interface ServerSettings {
  /** The content of `cli.token`: `Authorization: Bearer` for the API. */
  readonly cliToken: Redacted.Redacted
  /** One line for each thing that is not ready yet; empty: `/readyz` answers 200. */
  readonly notReady: Effect.Effect<ReadonlyArray<string>>
  /** What `/metrics` answers: the Prometheus text format. */
  readonly metrics: Effect.Effect<string, StoreError>
  /** Reads troupe.yaml again and applies it whole or not at all; answers with the names of the agents. */
  readonly apply: Effect.Effect<
    { readonly agents: ReadonlyArray<string> },
    Conflict | Unavailable | ConfigError
  >
}

export class ServerOptions extends Context.Service<
  ServerOptions,
  ServerSettings & {
    readonly host: string
    readonly port: number
    readonly publicUrl: URL | null
    readonly peers: Peers
  }
>()("troupe/admin/ServerOptions") {
  static readonly layer = (options: ServerSettings): Layer.Layer<ServerOptions, ListenError, Settings> =>
    Layer.effect(
      ServerOptions,
      Effect.gen(function* () {
        const { host, port, publicUrl, trustedProxy } = yield* Settings
        const peers = yield* Effect.fromResult(peersFor(host, Option.getOrNull(trustedProxy)))
        const url = Option.getOrNull(publicUrl)
        if (url !== null && !/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
          const message = "PUBLIC_URL is not a web address; write it like https://troupe.example.com."
          return yield* new ListenError({ message })
        }
        return ServerOptions.of({
          ...options,
          host,
          port,
          publicUrl: url === null ? null : new URL(url),
          peers,
        })
      }),
    )
}
