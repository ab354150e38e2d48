/**
 * The environment of DESIGN.md section 10, read once at start. Nothing else in the product reads `process.env`.
 * Everything is optional; what is absent is embedded. Secrets may also come by file (SecretFile.ts).
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { secretValue } from "./SecretFile.ts"

/** A variable that cannot be read as what it is; one sentence with the next step. */
export class SettingsError extends Schema.TaggedError<SettingsError>()("SettingsError", {
  message: Schema.String,
}) {}

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
    /** Seals backups instead of the encryption key. */
    readonly backupPassphrase: Option.Option<Redacted.Redacted>
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
        port: yield* read("PORT", "a port number", Config.Port, 4400),
        host: yield* read("HOST", "an address", Config.String, "127.0.0.1"),
        home: yield* read("TROUPE_HOME", "a directory", Config.String, "./.troupe"),
        configFile: yield* read("TROUPE_CONFIG", "a file", Config.String, "./troupe.yaml"),
        databaseUrl: yield* secret("DATABASE_URL"),
        natsUrl: yield* secret("NATS_URL"),
        natsCreds: yield* optional("NATS_CREDS", Config.String),
        anthropicKey: yield* secret("ANTHROPIC_API_KEY"),
        anthropicBaseUrl: yield* optional("ANTHROPIC_BASE_URL", Config.String),
        model: yield* optional("TROUPE_MODEL", Config.String),
        spritesToken: yield* secret("SPRITES_TOKEN"),
        spritesUrl: yield* optional("SPRITES_URL", Config.String),
        encryptionKey: yield* secret("ENCRYPTION_KEY"),
        backupPassphrase: yield* secret("TROUPE_BACKUP_PASSPHRASE"),
        publicUrl: yield* optional("PUBLIC_URL", Config.String),
        trustedProxy: yield* optional("TRUSTED_PROXY", Config.String),
        logLevel: yield* read("LOG_LEVEL", "a level like info or debug", Config.String, "info"),
        logFormat: yield* read("LOG_FORMAT", "pretty or json", logFormat, "pretty"),
        unsafeLocalExec: yield* read("TROUPE_UNSAFE_LOCAL_EXEC", "1 or nothing", Config.Boolean, false),
      })
    }),
  )
}

const logFormat = (name: string) => Config.Literals(["pretty", "json"], name)

/** A variable that is set to nothing is not set: the provider leaves it out. */
const optional = <A>(name: string, config: (name: string) => Config.Config<A>) => Config.option(config(name))

const secret = (name: string): Effect.Effect<Option.Option<Redacted.Redacted>, SettingsError> =>
  Effect.gen(function* () {
    const at = yield* Effect.orDie(
      Effect.all([optional(name, Config.String), optional(`${name}_FILE`, Config.String)]),
    )
    const value = yield* Effect.fromResult(
      secretValue(name, (wanted) => Option.getOrUndefined(at[wanted === name ? 0 : 1])),
    ).pipe(Effect.mapError((message) => new SettingsError({ message })))
    return Option.map(Option.fromUndefinedOr(value), (text) => Redacted.make(text))
  })

const read = <A, B extends A>(
  name: string,
  expected: string,
  config: (name: string) => Config.Config<A>,
  absent: B,
): Effect.Effect<A, SettingsError> =>
  Effect.gen(function* () {
    const text = yield* Effect.orDie(optional(name, Config.String))
    if (Option.isNone(text)) return absent
    const message = `${name} must be ${expected}, and it is "${text.value}": correct or unset it.`
    return yield* Effect.mapError(config(name), () => new SettingsError({ message }))
  })
