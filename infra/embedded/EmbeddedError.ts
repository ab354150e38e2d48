import * as Schema from "effect/Schema"

/** What keeps the embedded tier from starting or running. The message is one sentence for a person, with the next step. */
export class EmbeddedError extends Schema.TaggedError<EmbeddedError>()("EmbeddedError", {
  part: Schema.Literals(["home", "package", "postgres", "nats"]),
  message: Schema.String,
  cause: Schema.Defect(),
}) {}

/** Another Troupe runs on this home: the process ends with exit code 78. */
export class HomeTaken extends Schema.TaggedError<HomeTaken>()("HomeTaken", { message: Schema.String }) {}

/** What a cause says, for the end of a sentence. */
export const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
