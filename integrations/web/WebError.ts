/** What goes wrong at the web door. */
import * as Schema from "effect/Schema"

/** The server cannot or may not listen; terminal, with the next step in the sentence. */
export class WebListenError extends Schema.TaggedError<WebListenError>()("WebListenError", {
  message: Schema.String,
}) {}

/** An answer of the API that is not a success: its status and one plain sentence. */
export class ApiError extends Schema.TaggedError<ApiError>()("ApiError", {
  status: Schema.Int,
  message: Schema.String,
}) {}

export const noRoom = new ApiError({ status: 404, message: "There is no such room." })
