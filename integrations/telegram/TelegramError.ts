/**
 * Telegram's refusals. grammY's errors are wrapped once, here, and scrubbed: the URL of a call holds the bot's token, and
 * the words of a network error may hold the URL.
 */
import { GrammyError } from "grammy/web"
import * as Schema from "effect/Schema"

export class TelegramError extends Schema.TaggedError<TelegramError>()("TelegramError", {
  method: Schema.String,
  /** HTTP's code; 0 when there was no answer. */
  code: Schema.Int,
  message: Schema.String,
  retryAfterSeconds: Schema.NullOr(Schema.Finite),
  migrateTo: Schema.NullOr(Schema.Int),
}) {}

export const fromGrammy = (method: string, token: string, cause: unknown): TelegramError => {
  if (cause instanceof GrammyError)
    return new TelegramError({
      method,
      code: cause.error_code,
      message: scrub(cause.description, token),
      retryAfterSeconds: cause.parameters.retry_after ?? null,
      migrateTo: cause.parameters.migrate_to_chat_id ?? null,
    })
  return new TelegramError({
    method,
    code: 0,
    message: scrub(deepest(cause), token),
    retryAfterSeconds: null,
    migrateTo: null,
  })
}

export const scrub = (text: string, token: string): string =>
  text.replaceAll(token, "<token>").replaceAll(encodeURIComponent(token), "<token>")

/** grammY and fetch wrap the reason that says something. */
function deepest(cause: unknown): string {
  let error: unknown = cause
  for (let i = 0; i < 5; i++) {
    if (typeof error !== "object" || error === null) break
    const inner = "error" in error ? error.error : "cause" in error ? error.cause : undefined
    if (inner === undefined || inner === null) break
    error = inner
  }
  return error instanceof Error ? error.message || error.name : String(error)
}

/** What to do about a call that says something. `plain`: again without entities. `flat`: again outside the topic. */
export type Verdict =
  | { readonly _tag: "done" }
  | { readonly _tag: "retry"; readonly afterMs: number; readonly account: boolean }
  | { readonly _tag: "gone" }
  | { readonly _tag: "lost" }
  | { readonly _tag: "flat" }
  | { readonly _tag: "plain" }
  | { readonly _tag: "migrated"; readonly to: number }

const table: ReadonlyArray<readonly [code: number, words: RegExp, verdict: Verdict]> = [
  [400, /message is not modified/i, { _tag: "done" }],
  [400, /message thread not found|topic_(closed|deleted|id_invalid)/i, { _tag: "flat" }],
  [400, /message to edit not found|message can't be edited|message_id_invalid/i, { _tag: "lost" }],
  [400, /entit(y|ies)|unsupported url|can't parse/i, { _tag: "plain" }],
  [400, /./, { _tag: "gone" }],
  [401, /./, { _tag: "retry", afterMs: 60_000, account: true }],
  [403, /./, { _tag: "gone" }],
  [413, /./, { _tag: "gone" }],
  [404, /./, { _tag: "retry", afterMs: 60_000, account: true }],
]

export const verdictOf = ({ code, message, retryAfterSeconds, migrateTo }: TelegramError): Verdict => {
  if (migrateTo !== null) return { _tag: "migrated", to: migrateTo }
  if (code === 429 || retryAfterSeconds !== null)
    return { _tag: "retry", afterMs: Math.max(1, retryAfterSeconds ?? 1) * 1000, account: false }
  const row = table.find(([known, words]) => known === code && words.test(message))
  return row?.[2] ?? { _tag: "retry", afterMs: 1_000, account: false }
}
