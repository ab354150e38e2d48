/** An answer that is not a success, outside the API's own refusals: one plain sentence. */
import * as HttpServerResponse from "effect/http/HttpServerResponse"

export const errorJson = (status: number, error: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe({ error }, { status })
