/**
 * What is wrong with a configuration file: every problem at once, each with its place and, in the same sentence,
 * what to do. A message never carries a value from the file or the environment, because either may be a secret.
 */
import * as Schema from "effect/Schema"

export const Problem = Schema.Struct({
  file: Schema.String,
  line: Schema.Int,
  column: Schema.Int,
  message: Schema.String,
})
export type Problem = typeof Problem.Type

/** `troupe.yaml:12:5: "toekn" is not a setting here; did you mean "token"?` */
export const formatProblem = (problem: Problem): string =>
  `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`

/** Terminal: the process ends with exit code 78. */
export class ConfigError extends Schema.TaggedError<ConfigError>()("ConfigError", {
  problems: Schema.Array(Problem),
}) {
  override get message(): string {
    return this.problems.map(formatProblem).join("\n")
  }
}
