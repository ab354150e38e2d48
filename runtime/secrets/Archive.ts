/**
 * A stream sealed with AES-256-GCM in pieces of 64 KiB. The key is derived for this stream alone, from the master key (HKDF) or a
 * passphrase (scrypt), with a fresh salt; so the nonce may count. The last piece is marked in its nonce: a stream that was cut off,
 * reordered or changed anywhere does not open (each piece is bound to the head, too).
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scryptSync } from "node:crypto"

export type ArchiveKey =
  { readonly kind: "master"; readonly hex: string } | { readonly kind: "passphrase"; readonly text: string }

const magic = "troupe backup 1"
const piece = 64 * 1024
const tagBytes = 16
const saltBytes = 32

/** Why a file does not open: one sentence. */
export class ArchiveError extends Error {}

const derive = (key: ArchiveKey, salt: Uint8Array): Uint8Array =>
  key.kind === "master"
    ? new Uint8Array(hkdfSync("sha256", Buffer.from(key.hex.trim(), "hex"), salt, magic, 32))
    : scryptSync(key.text, salt, 32, { N: 2 ** 16, r: 8, p: 1, maxmem: 128 * 1024 ** 2 })

const nonceOf = (n: number, last: boolean): Buffer => {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(n, 5, 6)
  nonce[11] = last ? 1 : 0
  return nonce
}

export async function* sealStream(
  source: AsyncIterable<Uint8Array>,
  key: ArchiveKey,
): AsyncGenerator<Buffer> {
  const salt = randomBytes(saltBytes)
  const head = Buffer.from(`${magic} ${key.kind} ${salt.toString("hex")}\n`)
  const derived = derive(key, salt)
  yield head
  let n = 0
  const sealed = (plain: Uint8Array, last: boolean): Buffer => {
    const cipher = createCipheriv("aes-256-gcm", derived, nonceOf(n, last)).setAAD(head)
    n += 1
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  }
  let rest = Buffer.alloc(0)
  for await (const part of source) {
    rest = Buffer.concat([rest, part])
    // The last piece may be full, but is never empty unless everything is.
    while (rest.length > piece) {
      yield sealed(rest.subarray(0, piece), false)
      rest = rest.subarray(piece)
    }
  }
  yield sealed(rest, true)
}

export async function* openStream(
  source: AsyncIterable<Uint8Array>,
  keyOf: (kind: ArchiveKey["kind"]) => ArchiveKey | string,
): AsyncGenerator<Buffer> {
  const whole = piece + tagBytes
  const parts = source[Symbol.asyncIterator]()
  let rest = Buffer.alloc(0)
  const more = async (): Promise<boolean> => {
    const next = await parts.next()
    if (next.done === true) return false
    rest = Buffer.concat([rest, next.value])
    return true
  }
  while (!rest.includes(10) && rest.length < 200) if (!(await more())) break
  const end = rest.indexOf(10) + 1
  const head = rest.subarray(0, end)
  const [, kind, salt = ""] =
    new RegExp(`^${magic} (master|passphrase) ([0-9a-f]{64})\n$`).exec(head.toString()) ?? []
  if (kind === undefined)
    throw new ArchiveError("This is no backup of Troupe's: give the file that `troupe backup` wrote.")
  const key = keyOf(kind as ArchiveKey["kind"])
  if (typeof key === "string") throw new ArchiveError(key)
  const derived = derive(key, Buffer.from(salt, "hex"))
  rest = rest.subarray(end)
  const opened = (sealed: Uint8Array, n: number, last: boolean): Buffer => {
    try {
      const decipher = createDecipheriv("aes-256-gcm", derived, nonceOf(n, last)).setAAD(head)
      decipher.setAuthTag(sealed.subarray(-tagBytes))
      return Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()])
    } catch {
      throw new ArchiveError(
        n === 0
          ? `The backup does not open with this ${kind === "master" ? "ENCRYPTION_KEY" : "passphrase"}, or it was changed.`
          : "The backup was changed or cut off on its way: take another copy of it.",
      )
    }
  }
  for (let n = 0; ; n += 1) {
    while (rest.length <= whole) if (!(await more())) break
    const last = rest.length <= whole
    if (last && rest.length < tagBytes)
      throw new ArchiveError("The backup is cut off: take another copy of it.")
    yield opened(rest.subarray(0, whole), n, last)
    if (last) return
    rest = rest.subarray(whole)
  }
}
