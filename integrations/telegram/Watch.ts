/**
 * A door that looks connected and is deaf is the worst kind of failure: nothing fails. So what must arrive is looked at, once
 * a minute.
 *
 * Webhook: Telegram is asked where it calls and how that went; a webhook that somebody else set is set again, and a call of our own
 * goes the way that Telegram's take. Polling: an answer must have come within the time that Telegram may hold it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Fetch } from "../../runtime/index.ts"
import type { TelegramApi } from "./TelegramApi.ts"
import type { TelegramError } from "./TelegramError.ts"

export interface WebhookWatch {
  readonly api: TelegramApi
  readonly url: string
  readonly secret: string
  readonly fetch: Fetch
  /** Sets the webhook. */
  readonly set: Effect.Effect<unknown, TelegramError>
}

/** A sentence with the next step when nothing can arrive; null when all is well. */
export type Finding = { readonly failing: string } | { readonly note: string } | null

const recent = 150

/** The body of the call that we make to ourselves. */
export const probeBody = JSON.stringify({ probe: true })
export const probeAnswer = "heard"

export const lookAtWebhook = Effect.fnUntraced(function* ({
  api,
  url,
  secret,
  fetch,
  set,
}: WebhookWatch): Effect.fn.Return<Finding, TelegramError> {
  const info = yield* api.getWebhookInfo
  if (info.url !== url) {
    yield* Effect.logWarning(
      info.url === ""
        ? "The webhook of the bot was gone; it is set again."
        : "The bot's webhook pointed elsewhere; it is set again. Another program may use the same token.",
    )
    yield* set
    return null
  }
  const now = (yield* Clock.currentTimeMillis) / 1_000
  if (info.pending_update_count > 0 && (info.last_error_date ?? 0) > now - recent)
    return {
      failing: `Telegram cannot deliver to ${url}: ${info.last_error_message ?? "no reason given"}. ${info.pending_update_count} messages wait there; check PUBLIC_URL and what stands before Troupe.`,
    }
  const reached = yield* Effect.tryPromise(async (signal) => {
    const response = await fetch(url, {
      method: "POST",
      signal,
      headers: { "content-type": "application/json", "x-telegram-bot-api-secret-token": secret },
      body: probeBody,
    })
    return (await response.text()) === probeAnswer
  }).pipe(
    Effect.timeout("10 seconds"),
    Effect.orElseSucceed(() => false),
  )
  return reached ? null : { note: `Troupe does not reach itself at ${url}: see that PUBLIC_URL leads here.` }
})

/** Polling: what to say when the last answer is `ageMs` old. */
export const lookAtPoll = (ageMs: number, pollSeconds: number): Finding =>
  ageMs > (pollSeconds + 60) * 1_000
    ? {
        failing: `Telegram has answered nothing for ${Math.round(ageMs / 1_000)} seconds: check the network; it is tried again by itself.`,
      }
    : null
