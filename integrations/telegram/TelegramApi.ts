/**
 * The one bridge from grammY's promises to Effect: the typed Bot API as one generic call, on the lean keep-alive `fetch`,
 * one attempt each. Long polls have sockets and a patience of their own.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Api } from "grammy/web"
import type { ApiClientOptions, RawApi } from "grammy/web"
import { keepAliveFetch, type Fetch } from "../../runtime/index.ts"
import { fromGrammy, scrub, TelegramError } from "./TelegramError.ts"

/** grammY gives these no payload. */
type Bare = "getMe" | "getWebhookInfo"
type Method = Exclude<keyof RawApi, Bare>
type Result<M extends keyof RawApi> = Awaited<ReturnType<RawApi[M]>>

export interface TelegramApi {
  readonly root: string
  /** Who the bot is. */
  readonly getMe: Effect.Effect<Result<"getMe">, TelegramError>
  readonly getWebhookInfo: Effect.Effect<Result<"getWebhookInfo">, TelegramError>
  readonly call: <M extends Method>(
    method: M,
    payload: Parameters<RawApi[M]>[0],
  ) => Effect.Effect<Result<M>, TelegramError>
  /** The bytes of a file, at most `maxBytes`. The address holds the token and stays in here. */
  readonly download: (fileId: string, maxBytes: number) => Effect.Effect<Uint8Array, TelegramError>
}

export const defaultRoot = "https://api.telegram.org"
const patienceMs = 20_000

export const makeTelegramApi = Effect.fnUntraced(function* (
  secret: Redacted.Redacted,
  apiRoot: string | undefined,
  pollSeconds: number,
): Effect.fn.Return<TelegramApi, never, Scope.Scope> {
  const token = Redacted.value(secret)
  const root = (apiRoot ?? defaultRoot).replace(/\/+$/, "")
  const fetch = yield* keepAliveFetch({ firstByteMs: patienceMs, idleMs: patienceMs })
  const pollFetch = yield* keepAliveFetch({
    firstByteMs: pollSeconds * 1000 + patienceMs,
    idleMs: patienceMs,
  })
  const raw = new Api(token, options(root, fetch)).raw
  const pollRaw = new Api(token, options(root, pollFetch)).raw

  const call: TelegramApi["call"] = <M extends Method>(method: M, payload: Parameters<RawApi[M]>[0]) =>
    Effect.tryPromise({
      try: (signal) => {
        const send = (method === "getUpdates" ? pollRaw : raw)[method] as (
          payload: unknown,
          signal: AbortSignal,
        ) => Promise<Result<M>>
        return send(payload, signal)
      },
      catch: (cause) => fromGrammy(method, token, cause),
    })

  const bare = <M extends Bare>(method: M) =>
    Effect.tryPromise({
      try: (signal) => (raw[method] as unknown as (signal: AbortSignal) => Promise<Result<M>>)(signal),
      catch: (cause) => fromGrammy(method, token, cause),
    })

  const failed = (message: string) =>
    new TelegramError({ method: "download", code: 0, message, retryAfterSeconds: null, migrateTo: null })

  const download = Effect.fnUntraced(function* (fileId: string, maxBytes: number) {
    const { file_path: path, file_size: size = 0 } = yield* call("getFile", { file_id: fileId })
    if (path === undefined || size > maxBytes)
      return yield* failed("the file is too big to be fetched from Telegram")
    const url = `${root}/file/bot${token}/${path.split("/").map(encodeURIComponent).join("/")}`
    return yield* Effect.tryPromise({
      try: (signal) => readAtMost(fetch, url, maxBytes, signal),
      catch: (cause) => failed(scrub(cause instanceof Error ? cause.message : String(cause), token)),
    })
  })

  return { root, getMe: bare("getMe"), getWebhookInfo: bare("getWebhookInfo"), call, download }
})

const options = (apiRoot: string, fetch: Fetch): ApiClientOptions => ({
  apiRoot,
  fetch: fetch as unknown as NonNullable<ApiClientOptions["fetch"]>,
})

async function readAtMost(
  fetch: Fetch,
  url: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const response = await fetch(url, { signal })
  if (!response.ok) throw new Error(`Telegram answered ${response.status} for the file`)
  const parts: Array<Uint8Array> = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.length
    if (size > maxBytes) throw new Error("the file is bigger than Telegram said")
    parts.push(part)
  }
  return Buffer.concat(parts)
}
