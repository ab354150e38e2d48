/**
 * The environment of DESIGN.md section 10, read once at start. Nothing else in the product reads `process.env`.
 * Everything is optional; what is absent is embedded.
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"

export class Settings extends Context.Service<
  Settings,
  {
    readonly port: number
    readonly host: string
    /** All embedded state: databases, streams, sandboxes, keys. */
    readonly home: string
    readonly configFile: string
    readonly databaseUrl: Option.Option<Redacted.Redacted>
    readonly natsUrl: Option.Option<Redacted.Redacted>
    readonly natsCreds: Option.Option<string>
    readonly anthropicKey: Option.Option<Redacted.Redacted>
    readonly anthropicBaseUrl: Option.Option<string>
    readonly model: Option.Option<string>
    readonly spritesToken: Option.Option<Redacted.Redacted>
    readonly spritesUrl: Option.Option<string>
    readonly encryptionKey: Option.Option<Redacted.Redacted>
    readonly publicUrl: Option.Option<string>
    readonly trustedProxy: Option.Option<string>
    readonly logLevel: string
    readonly logFormat: "pretty" | "json"
    readonly unsafeLocalExec: boolean
  }
>()("troupe/config/Settings") {
  static readonly layer = Layer.effect(
    Settings,
    Effect.gen(function* () {
      return Settings.of({
        port: yield* Config.Port("PORT").pipe(Config.withDefault(4400)),
        host: yield* Config.String("HOST").pipe(Config.withDefault("127.0.0.1")),
        home: yield* Config.String("TROUPE_HOME").pipe(Config.withDefault("./.troupe")),
        configFile: yield* Config.String("TROUPE_CONFIG").pipe(Config.withDefault("./troupe.yaml")),
        databaseUrl: yield* Config.option(Config.Redacted("DATABASE_URL")),
        natsUrl: yield* Config.option(Config.Redacted("NATS_URL")),
        natsCreds: yield* Config.option(Config.String("NATS_CREDS")),
        anthropicKey: yield* Config.option(Config.Redacted("ANTHROPIC_API_KEY")),
        anthropicBaseUrl: yield* Config.option(Config.String("ANTHROPIC_BASE_URL")),
        model: yield* Config.option(Config.String("TROUPE_MODEL")),
        spritesToken: yield* Config.option(Config.Redacted("SPRITES_TOKEN")),
        spritesUrl: yield* Config.option(Config.String("SPRITES_URL")),
        encryptionKey: yield* Config.option(Config.Redacted("ENCRYPTION_KEY")),
        publicUrl: yield* Config.option(Config.String("PUBLIC_URL")),
        trustedProxy: yield* Config.option(Config.String("TRUSTED_PROXY")),
        logLevel: yield* Config.String("LOG_LEVEL").pipe(Config.withDefault("info")),
        logFormat: yield* Config.Literals(["pretty", "json"], "LOG_FORMAT").pipe(
          Config.withDefault("pretty" as const),
        ),
        unsafeLocalExec: yield* Config.Boolean("TROUPE_UNSAFE_LOCAL_EXEC").pipe(Config.withDefault(false)),
      })
    }),
  )
}
