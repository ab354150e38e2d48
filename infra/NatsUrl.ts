/**
 * What NATS_URL says: one address or several of a cluster, with commas between; user and password stand in the first. The scheme
 * may be left out; `tls://` holds for all when it is written at one.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"

export interface NatsUrl {
  /** Without user and password: may be shown. */
  readonly url: string
  readonly user?: string
  readonly password?: Redacted.Redacted
}

export const parseNatsUrl = (given: Redacted.Redacted): Result.Result<NatsUrl, string> => {
  const parts = Redacted.value(given)
    .split(",")
    .map((part) => part.trim())
    .map((part) => URL.parse(part.includes("://") ? part : `nats://${part}`))
  const urls = parts.filter(
    (part) => part !== null && /^(?:nats|tls):$/.test(part.protocol) && part.host !== "",
  )
  if (urls.length < parts.length || urls.length === 0)
    return Result.fail(
      "NATS_URL is no address of a NATS server: write it like nats://user:password@host:4222.",
    )
  const scheme = urls.some((url) => url!.protocol === "tls:") ? "tls:" : "nats:"
  const { username, password } = urls[0]!
  return Result.succeed({
    url: urls.map((url) => `${scheme}//${url!.host}`).join(","),
    ...(username === ""
      ? {}
      : { user: decodeURIComponent(username), password: Redacted.make(decodeURIComponent(password)) }),
  })
}
