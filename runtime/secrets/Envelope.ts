/**
 * Envelope encryption of one secret, with node's AES-256-GCM.
 *
 * 1. Each secret has its own fresh data key; the data key is wrapped by the master key. No key encrypts more than
 *    one secret, except the master key, which only ever encrypts random data keys.
 * 2. Every encryption draws a random 96-bit nonce.
 * 3. Both ciphertexts are bound to their place (table, row, column), the wrapped key also to the master key's id:
 *    a sealed secret moved to another row does not open.
 * 4. Rotation wraps the same data key again; the secret itself is not decrypted.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto"
import { SecretsError } from "./SecretsError.ts"

/** Where a sealed secret is kept. */
export interface Place {
  readonly table: string
  readonly row: string
  readonly column: string
}

/** What is stored, as a jsonb column; binary parts are base64 of nonce, ciphertext and tag in a row. */
export const Sealed = Schema.Struct({
  v: Schema.Literal(1),
  /** The id of the master key that wraps `key`. */
  keyId: Schema.String,
  key: Schema.String,
  data: Schema.String,
})
export type Sealed = typeof Sealed.Type

export interface MasterKey {
  /** Derived from the key: 16 hex digits of its hash. Not a secret. */
  readonly id: string
  readonly bytes: Uint8Array
}

export const masterKey = (hex: string): Result.Result<MasterKey, SecretsError> => {
  if (!/^[0-9a-f]{64}$/i.test(hex.trim())) {
    const message =
      "The encryption key must be 32 bytes written as 64 hex digits; make one with `openssl rand -hex 32`."
    return Result.fail(new SecretsError({ reason: "badKey", message }))
  }
  const bytes = Buffer.from(hex.trim(), "hex")
  const id = createHash("sha256").update("troupe key id\0").update(bytes).digest("hex").slice(0, 16)
  return Result.succeed({ id, bytes })
}

export const seal = (master: MasterKey, place: Place, plaintext: string): Sealed => {
  const dataKey = randomBytes(32)
  const data = encrypt(dataKey, dataContext(place), Buffer.from(plaintext, "utf8"))
  return { v: 1, keyId: master.id, key: encrypt(master.bytes, keyContext(place, master.id), dataKey), data }
}

export const open = (master: MasterKey, place: Place, sealed: Sealed): Result.Result<string, SecretsError> =>
  Result.map(
    Result.flatMap(unwrap(master, place, sealed), (dataKey) =>
      decrypt(dataKey, dataContext(place), sealed.data),
    ),
    (plaintext) => plaintext.toString("utf8"),
  )

/** The same secret under another master key. */
export const rewrap = (
  from: MasterKey,
  to: MasterKey,
  place: Place,
  sealed: Sealed,
): Result.Result<Sealed, SecretsError> =>
  Result.map(unwrap(from, place, sealed), (dataKey) => ({
    ...sealed,
    keyId: to.id,
    key: encrypt(to.bytes, keyContext(place, to.id), dataKey),
  }))

const unwrap = (master: MasterKey, place: Place, sealed: Sealed): Result.Result<Buffer, SecretsError> =>
  sealed.keyId === master.id
    ? decrypt(master.bytes, keyContext(place, master.id), sealed.key)
    : Result.fail(unknownKey(sealed.keyId))

export const unknownKey = (keyId: string): SecretsError =>
  new SecretsError({
    reason: "unknownKey",
    message: `The secret was sealed with the key ${keyId}, which is not here; start with the ENCRYPTION_KEY it was sealed with.`,
  })

const nonceBytes = 12
const tagBytes = 16

const encrypt = (key: Uint8Array, context: Buffer, plaintext: Uint8Array): string => {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(context)
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]).toString(
    "base64",
  )
}

const decrypt = (key: Uint8Array, context: Buffer, base64: string): Result.Result<Buffer, SecretsError> => {
  const bytes = Buffer.from(base64, "base64")
  const broken = new SecretsError({
    reason: "broken",
    message: "The stored secret was changed or moved from its row; enter it again.",
  })
  if (bytes.length < nonceBytes + tagBytes || bytes.toString("base64") !== base64) return Result.fail(broken)
  return Result.try({
    try: () => {
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      })
      decipher.setAAD(context).setAuthTag(bytes.subarray(-tagBytes))
      return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()])
    },
    catch: () => broken,
  })
}

/** JSON of a list is unambiguous: no two places give the same bytes. */
const keyContext = (place: Place, keyId: string): Buffer =>
  Buffer.from(JSON.stringify(["troupe.key.v1", place.table, place.row, place.column, keyId]))
const dataContext = (place: Place): Buffer =>
  Buffer.from(JSON.stringify(["troupe.data.v1", place.table, place.row, place.column]))
