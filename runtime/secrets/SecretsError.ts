/** Why a secret could not be sealed or opened. All are terminal: repeating the call changes nothing. */
import * as Schema from "effect/Schema"

export class SecretsError extends Schema.TaggedError<SecretsError>()("SecretsError", {
  /** `badKey`: the master key is not 32 bytes of hex. `unknownKey`: sealed under a key that is not at hand. `broken`: changed, or moved from its row. */
  reason: Schema.Literals(["badKey", "unknownKey", "broken"]),
  message: Schema.String,
}) {}
