/**
 * How the API says no: a status, and one plain sentence in `error` with the next step. Every endpoint may answer with
 * these; the page and the command line show the sentence as it is.
 */
import * as Schema from "effect/Schema"
import { Problem } from "../../runtime/index.ts"

const sentence = { error: Schema.String }

export class BadRequest extends Schema.TaggedError<BadRequest>()("BadRequest", sentence, {
  httpApiStatus: 400,
}) {}
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", sentence, {
  httpApiStatus: 403,
}) {}
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", sentence, { httpApiStatus: 404 }) {}
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", sentence, { httpApiStatus: 409 }) {}
/** A configuration with mistakes in it: every one of them. */
export class Misconfigured extends Schema.TaggedError<Misconfigured>()(
  "Misconfigured",
  { ...sentence, problems: Schema.Array(Problem) },
  { httpApiStatus: 422 },
) {}
/** A server behind us is away; nothing was lost. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", sentence, {
  httpApiStatus: 503,
}) {}

export const refusals = [BadRequest, Forbidden, NotFound, Conflict, Unavailable] as const
export type Refusal = BadRequest | Forbidden | NotFound | Conflict | Unavailable

export const noRoom = new NotFound({ error: "There is no such room." })
