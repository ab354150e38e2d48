/** Scalars as people write them in YAML, where `${VAR}` always gives text and an unquoted id is a number. */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** A whole number, also when it came as text from the environment. */
export const WholeNumber = Schema.Union([
  Schema.Int,
  Schema.String.check(Schema.isPattern(/^-?\d{1,15}$/, { expected: "a whole number" })),
]).pipe(
  Schema.decodeTo(
    Schema.Int,
    SchemaTransformation.transform<number, number | string>({ decode: Number, encode: (n) => n }),
  ),
)

/** Text, also when it looks like a number (`appId: 12345`). */
export const Text = Schema.Union([
  Schema.String.check(Schema.isNonEmpty({ expected: "text that is not empty" })),
  Schema.Finite,
]).pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform<string, number | string>({ decode: String, encode: (text) => text }),
  ),
)

/** Text that is a secret: wrapped at once, never printed. */
export const Secret = Schema.RedactedFromValue(Text)

/** A name used in subjects, URLs and mentions: lower-case letters, digits, `-` and `_`, at most 32. */
export const Name = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9_-]{0,31}$/, {
    expected: "a name of lower-case letters, digits, - or _ that begins with a letter",
  }),
)
