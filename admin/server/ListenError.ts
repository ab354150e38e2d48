/** The server cannot or may not listen; terminal, with the next step in the sentence. */
import * as Schema from "effect/Schema"

export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  message: Schema.String,
}) {}
