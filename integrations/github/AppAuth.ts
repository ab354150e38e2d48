/**
 * Who the App is: a JSON web token signed by its private key, and installation tokens minted with it: for one repository
 * and for exactly the permissions that a call needs, kept until shortly before they end by GitHub's own clock. A token may be
 * of any length and is only ever handed to GitHub.
 */
import { createPrivateKey, createSign, type KeyObject } from "node:crypto"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Clocks } from "./Clocks.ts"

export type Permissions = Readonly<Partial<Record<PermissionName, "read" | "write">>>
export type PermissionName = "issues" | "pull_requests" | "contents" | "checks" | "metadata"

/** PEM as it is, with `\n` written out as in environment files, or base64 of it. */
export const privateKeyOf = (secret: Redacted.Redacted): Result.Result<KeyObject, string> => {
  const given = Redacted.value(secret).trim()
  const pem = given.includes("-----BEGIN")
    ? given.replaceAll("\\n", "\n")
    : Buffer.from(given, "base64").toString("utf8")
  return Result.try({
    try: () => createPrivateKey(pem),
    catch: () => "The private key is no PEM: paste the whole file that GitHub gave you.",
  })
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")

/** Valid from a minute ago (clocks differ) for nine minutes more. */
export const jwtOf = (appId: string, key: KeyObject, clocks: Clocks): string => {
  const seconds = Math.floor(clocks.now() / 1000)
  const claims = { iat: seconds - 60, exp: seconds + 540, iss: appId }
  const text = `${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}`
  return `${text}.${createSign("RSA-SHA256").update(text).sign(key, "base64url")}`
}

interface Kept {
  readonly token: Redacted.Redacted
  readonly until: number
}

export class TokenCache {
  private readonly kept = new Map<string, Kept>()
  private readonly clocks: Clocks

  constructor(clocks: Clocks) {
    this.clocks = clocks
  }

  get(key: string): Redacted.Redacted | undefined {
    const known = this.kept.get(key)
    return known !== undefined && known.until > this.clocks.steady() ? known.token : undefined
  }

  keep(key: string, token: Redacted.Redacted, expiresAt: string): void {
    const left = Date.parse(expiresAt) - this.clocks.now()
    // Ten minutes early for the usual hour: work that begins with it also ends with it.
    this.kept.set(key, { token, until: this.clocks.steady() + left - Math.min(600_000, left / 6) })
  }

  drop(key: string): void {
    this.kept.delete(key)
  }
}
