/**
 * Turns what Schema found into sentences for people. Values are never repeated: only names of settings and what
 * was expected there.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Problem } from "./ConfigError.ts"
import type { Path, YamlSource } from "./YamlSource.ts"

/**
 * Decodes the part of the file at `path` strictly: unknown keys are problems, and all problems are found at once.
 * Places whose variable is missing are known problems already and are passed over.
 */
export const decodeAt = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  value: unknown,
  source: YamlSource,
  path: Path,
): Result.Result<S["Type"], ReadonlyArray<Problem>> => {
  const result = Schema.decodeUnknownResult(schema, { errors: "all", onExcessProperty: "error" })(value)
  if (Result.isSuccess(result)) return Result.succeed(result.success)
  const problems: Array<Problem> = []
  for (const issue of format(result.failure.issue).issues) {
    const where = [...path, ...(issue.path ?? []).map((part) => (typeof part === "object" ? part.key : part))]
    if (source.missing.some((missing) => startsWith(where, missing.path))) continue
    const unexpected = issue.message.startsWith(unexpectedMark)
    const message = unexpected
      ? unknownKey(String(where.at(-1)), issue.message.slice(unexpectedMark.length).split(","))
      : issue.message.startsWith(missingMark)
        ? `"${String(where.at(-1))}" is missing; add it${where.length > 1 ? ` to ${title(where.slice(0, -1))}` : ""}.`
        : `${where.length === 0 ? "The file" : `"${title(where)}"`} must be ${expected(issue.message)}; change it.`
    problems.push(unexpected ? source.atKey(where, message) : source.at(where, message))
  }
  return Result.fail(problems)
}

const unexpectedMark = "unexpected:"
const missingMark = "missing:"

const format = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => {
    switch (issue._tag) {
      case "UnexpectedKey":
        return unexpectedMark + knownKeys(issue.ast).join(",")
      case "MissingKey":
        return missingMark
      default:
        return SchemaIssue.defaultLeafHook(issue)
    }
  },
  checkHook: (issue) => {
    const message = issue.filter.annotations?.expected
    return typeof message === "string" ? message : undefined
  },
})

/** Schema says `Expected "a" | "b"`; people read `"a" or "b"`. */
const expected = (message: string): string => {
  const text = message.replace(/^Expected /, "").replaceAll(" | ", " or ")
  return typeWords[text] ?? text
}
const typeWords: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a block of settings",
}

const knownKeys = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  ast._tag === "Objects" ? ast.propertySignatures.map((signature) => String(signature.name)) : []

const unknownKey = (key: string, known: ReadonlyArray<string>): string => {
  const near = known.find((name) => distance(name.toLowerCase(), key.toLowerCase()) <= 2)
  const advice = near === undefined ? `known are ${known.join(", ")}` : `did you mean "${near}"?`
  return `"${key}" is not a setting here; ${advice}${near === undefined ? "." : ""}`
}

const startsWith = (path: Path, prefix: Path): boolean =>
  prefix.every((step, index) => String(path[index]) === String(step))

/** `integrations[0].token` */
export const title = (path: Path): string =>
  path
    .map((step, i) => (typeof step === "number" ? `[${step}]` : (i === 0 ? "" : ".") + String(step)))
    .join("")

/** Edit distance of two short names. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
