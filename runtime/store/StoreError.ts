import * as Schema from "effect/Schema"

/**
 * What the store says when a statement did not commit. `unavailable`: the server is gone or refuses (disk full, starting
 * up): wait and repeat. `refused`: this row can never be written as it is.
 */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  kind: Schema.Literals(["unavailable", "refused"]),
  message: Schema.String,
  cause: Schema.Defect(),
}) {}

/** SQLSTATE classes that blame the data or the statement; everything else is the server's state. */
const refusing = new Set(["22", "23", "42", "P0", "0A"])

export const fromPostgres = (cause: unknown): StoreError => {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : ""
  const message = cause instanceof Error ? cause.message : String(cause)
  return new StoreError({
    kind: code.length === 5 && refusing.has(code.slice(0, 2)) ? "refused" : "unavailable",
    message: code === "" ? message : `${message} (${code})`,
    cause,
  })
}
