/**
 * Telegram's calls to us. The secret is compared in constant time before anything is parsed; the answer is 200 only when
 * the update is committed (P1). Whatever is an update is stored and answered 200, known kind or not: an answer
 * other than 2xx makes Telegram hold back the whole chat.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createHash, timingSafeEqual } from "node:crypto"
import type { HookHandler, HookResponse, StoreError } from "../../runtime/index.ts"
import type { Intake } from "./Intake.ts"
import type { Normalized } from "./Normalized.ts"
import { probeAnswer, probeBody } from "./Watch.ts"

export const maxWebhookBytes = 1024 * 1024
const header = "x-telegram-bot-api-secret-token"

export interface WebhookOptions {
  readonly secret: Redacted.Redacted
  readonly intake: Intake
  /** `undefined` while we do not know yet who the bot is. */
  readonly normalize: () => ((update: unknown) => Normalized | undefined) | undefined
  readonly healthy: Effect.Effect<void>
  readonly unhealthy: (error: StoreError) => Effect.Effect<void>
}

export const webhook = (options: WebhookOptions): HookHandler => {
  const expected = digest(Redacted.value(options.secret))
  return Effect.fnUntraced(function* ({ headers, body }) {
    if (!timingSafeEqual(digest(headers[header] ?? ""), expected))
      return answer(401, "The secret token is missing or wrong.")
    if (body.length > maxWebhookBytes) return answer(413, "The body is too big.")
    const normalize = options.normalize()
    if (normalize === undefined) return answer(503, "Not connected to Telegram yet.")
    if (isProbe(body)) return answer(200, probeAnswer)
    const update = normalize(parse(body))
    if (update === undefined) return answer(400, "This is not a Telegram update.")
    return yield* options.intake.prepare(update).pipe(
      Effect.flatMap((complete) => options.intake.accept([complete])),
      Effect.andThen(options.healthy),
      Effect.as(answer(200, "")),
      Effect.catch((error) =>
        Effect.as(options.unhealthy(error), answer(503, "The database cannot be reached.")),
      ),
    )
  })
}

const answer = (status: number, body: string): HookResponse => ({ status, body })
const digest = (text: string) => createHash("sha256").update(text).digest()
const decoder = new TextDecoder("utf-8")

/** Our own call, which went the way of Telegram's. */
const isProbe = (body: Uint8Array): boolean =>
  body.length === probeBody.length && decoder.decode(body) === probeBody

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(body)) as unknown
  } catch {
    return undefined
  }
}
