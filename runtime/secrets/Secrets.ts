/**
 * Seals secrets for the database and opens them again. Opening registers the secret for redaction, so that what
 * the process knows cannot appear in a room or a log. Nothing but `lastFour` of a secret is ever shown to a person.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Result from "effect/Result"
import {
  type MasterKey,
  masterKey,
  open,
  type Place,
  rewrap,
  seal,
  type Sealed,
  unknownKey,
} from "./Envelope.ts"
import { Redaction } from "./Redaction.ts"
import type { SecretsError } from "./SecretsError.ts"

export interface SecretKeys {
  /** 32 bytes as hex: ENCRYPTION_KEY, or the content of the key file. */
  readonly current: Redacted.Redacted
  /** Keys that older rows may still be sealed with, while they are being rotated. */
  readonly former: ReadonlyArray<Redacted.Redacted>
}

export class Secrets extends Context.Service<
  Secrets,
  {
    readonly seal: (place: Place, secret: Redacted.Redacted) => Effect.Effect<Sealed>
    readonly open: (place: Place, sealed: Sealed) => Effect.Effect<Redacted.Redacted, SecretsError>
    /** The row's new value under the current key, or `null` when it is there already. */
    readonly rotate: (place: Place, sealed: Sealed) => Effect.Effect<Sealed | null, SecretsError>
  }
>()("troupe/secrets/Secrets") {
  static readonly layer = (keys: SecretKeys): Layer.Layer<Secrets, SecretsError, Redaction> =>
    Layer.effect(
      Secrets,
      Effect.gen(function* () {
        const redaction = yield* Redaction
        const current = yield* readKey(keys.current)
        const former = yield* Effect.forEach(keys.former, readKey)
        const byId = new Map([...former, current].map((key) => [key.id, key]))
        for (const key of [keys.current, ...keys.former]) redaction.add(Redacted.value(key).trim())

        const withKey = <A>(
          keyId: string,
          use: (key: MasterKey) => Result.Result<A, SecretsError>,
        ): Effect.Effect<A, SecretsError> => {
          const key = byId.get(keyId)
          return key === undefined ? Effect.fail(unknownKey(keyId)) : Effect.fromResult(use(key))
        }
        return Secrets.of({
          seal: (place, secret) =>
            Effect.sync(() => {
              redaction.add(Redacted.value(secret))
              return seal(current, place, Redacted.value(secret))
            }),
          open: (place, sealed) =>
            withKey(sealed.keyId, (key) => open(key, place, sealed)).pipe(
              Effect.map((plaintext) => {
                redaction.add(plaintext)
                return Redacted.make(plaintext)
              }),
            ),
          rotate: (place, sealed) =>
            sealed.keyId === current.id
              ? Effect.succeed(null)
              : withKey(sealed.keyId, (key) => rewrap(key, current, place, sealed)),
        })
      }),
    )
}

const readKey = (hex: Redacted.Redacted) => Effect.fromResult(masterKey(Redacted.value(hex)))

/** The only thing of a secret that may be shown; a short secret shows nothing. */
export const lastFour = (secret: Redacted.Redacted): string => {
  const value = Redacted.value(secret)
  return value.length >= 16 ? `…${value.slice(-4)}` : "…"
}
