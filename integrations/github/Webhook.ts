/**
 * GitHub's calls to us. The signature is checked over the raw bytes, in constant time, before anything is parsed; the answer
 * is 200 only when the delivery is committed (P1). What it says is worked out afterwards: GitHub waits for ten seconds and
 * sends nothing again by itself.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createHash, createHmac, timingSafeEqual } from "node:crypto"
import type { HookHandler, HookResponse, StoreError } from "../../runtime/index.ts"
import type { Desk } from "./Desk.ts"
import { deliveryOf } from "./Delivery.ts"

/** GitHub sends nothing bigger. */
export const maxWebhookBytes = 25 * 1024 * 1024

export interface WebhookOptions {
  readonly secret: Redacted.Redacted
  readonly desk: Desk
  readonly unhealthy: (error: StoreError) => Effect.Effect<void>
}

export const webhook = ({ secret, desk, unhealthy }: WebhookOptions): HookHandler => {
  const key = Redacted.value(secret)
  return Effect.fnUntraced(function* ({ headers, body }) {
    const expected = `sha256=${createHmac("sha256", key).update(body).digest("hex")}`
    if (!timingSafeEqual(digest(headers["x-hub-signature-256"] ?? ""), digest(expected)))
      return answer(401, "The signature is missing or wrong.")
    if (body.length > maxWebhookBytes) return answer(413, "The body is too big.")
    const delivery = deliveryOf(headers["x-github-delivery"], headers["x-github-event"], parse(body))
    if (delivery === undefined) return answer(400, "This is not a delivery of GitHub.")
    return yield* desk.take(delivery).pipe(
      Effect.as(answer(200, "")),
      Effect.catch((error) => Effect.as(unhealthy(error), answer(503, "The database cannot be reached."))),
    )
  })
}

const answer = (status: number, body: string): HookResponse => ({ status, body })
/** Both sides get the same length. */
const digest = (text: string) => createHash("sha256").update(text).digest()
const decoder = new TextDecoder("utf-8")

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(body)) as unknown
  } catch {
    return undefined
  }
}
