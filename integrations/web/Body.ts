/** Request bodies: capped before they are read, decoded strictly. */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Schema from "effect/Schema"
import { ApiError } from "./WebError.ts"

/** The raw bytes, or 413 as soon as it is known that there are more than `maxBytes`. */
export const bytes = Effect.fnUntraced(function* (
  request: HttpServerRequest.HttpServerRequest,
  maxBytes: number,
) {
  const announced = request.headers["content-length"]
  if (announced !== undefined && !(Number(announced) <= maxBytes)) return yield* tooLarge(maxBytes)
  const body = yield* request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maxBytes)),
    Effect.mapError((error) =>
      error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge"
        ? tooLarge(maxBytes)
        : new ApiError({ status: 400, message: "The body broke off." }),
    ),
  )
  return new Uint8Array(body)
})

const maxJsonBytes = 256 * 1024

/** A JSON body as `schema` says, without unknown keys. */
export const json = <S extends Schema.ConstraintDecoder<unknown>>(
  request: HttpServerRequest.HttpServerRequest,
  schema: S,
): Effect.Effect<S["Type"], ApiError> =>
  Effect.flatMap(bytes(request, maxJsonBytes), (body) =>
    Schema.decodeUnknownEffect(Schema.fromJsonString(schema), { onExcessProperty: "error" })(
      new TextDecoder().decode(body),
    ).pipe(
      Effect.mapError(
        (error) => new ApiError({ status: 400, message: `The body is not as expected: ${error.message}` }),
      ),
    ),
  )

const tooLarge = (maxBytes: number) =>
  new ApiError({ status: 413, message: `The body is larger than ${maxBytes} bytes.` })
