/** How much of a request is read: capped before it is read, whatever it announced. */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpServerError from "effect/http/HttpServerError"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import { errorJson } from "./ErrorJson.ts"

/** Of a body of the API. */
export const maxJsonBytes = 256 * 1024

/** What it announces is refused before it is read. */
export const announcesMore = (request: HttpServerRequest.HttpServerRequest, maxBytes: number): boolean => {
  const announced = request.headers["content-length"]
  return announced !== undefined && !(Number(announced) <= maxBytes)
}

export const capped =
  (maxBytes: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideService(effect, HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maxBytes))

export const isTooLarge = (error: unknown): boolean =>
  error instanceof HttpServerError.HttpServerError &&
  error.reason._tag === "RequestParseError" &&
  error.reason.reason === "BodyTooLarge"

export const tooLarge = (maxBytes: number) => errorJson(413, `The body is larger than ${maxBytes} bytes.`)

/** The raw bytes, or the answer to give instead. */
export const bytes = Effect.fnUntraced(function* (
  request: HttpServerRequest.HttpServerRequest,
  maxBytes: number,
) {
  if (announcesMore(request, maxBytes)) return yield* Effect.fail(tooLarge(maxBytes))
  const body = yield* request.arrayBuffer.pipe(
    capped(maxBytes),
    Effect.mapError((error) =>
      isTooLarge(error) ? tooLarge(maxBytes) : errorJson(400, "The body broke off."),
    ),
  )
  return new Uint8Array(body)
})
