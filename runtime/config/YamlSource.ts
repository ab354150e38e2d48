/**
 * One YAML file with the place of every value in it, and `${VAR}` filled in from the environment.
 *
 * `${VAR}` is read in values only, after parsing, so that no variable can change the shape of the file. An empty
 * variable counts as missing, and `VAR_FILE` may name a file with the value. `${VAR:-text}` has a fallback; an empty
 * fallback as the whole value leaves the key out. `$${VAR}` is the literal text `${VAR}`.
 */
import * as Result from "effect/Result"
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml"
import type { Problem } from "./ConfigError.ts"
import { secretValue } from "./SecretFile.ts"

export type Path = ReadonlyArray<PropertyKey>
export type Environment = Readonly<Record<string, string | undefined>>

export interface Missing {
  readonly path: Path
  readonly variable: string
  readonly problem: Problem
}

export interface YamlSource {
  readonly value: unknown
  /** Syntax errors, duplicate keys, secret files that cannot be read; when there are any, `value` means nothing. */
  readonly problems: ReadonlyArray<Problem>
  readonly missing: ReadonlyArray<Missing>
  /** A problem at the value of `path`, or at the nearest thing around it that exists. */
  readonly at: (path: Path, message: string) => Problem
  /** The same, at the key rather than its value. */
  readonly atKey: (path: Path, message: string) => Problem
}

const variable = /\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g

export const parseYaml = (file: string, text: string, env: Environment): YamlSource => {
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const place = (offset: number, message: string): Problem => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), message }
  }
  const at = (path: Path, message: string) => place(offsetOf(doc, path, false), message)
  const atKey = (path: Path, message: string) => place(offsetOf(doc, path, true), message)
  const problems = syntaxProblems(text, doc, place)
  if (problems.length > 0) return { value: undefined, problems, missing: [], at, atKey }

  const missing: Array<Missing> = []
  const fill = (source: string, path: Path): string | undefined => {
    let leaveOut = false
    const filled = source.replace(
      variable,
      (whole, escaped: string, name: string, fallback: string | undefined) => {
        if (escaped !== "") return whole.slice(1)
        const found = secretValue(name, (wanted) => env[wanted])
        if (Result.isFailure(found)) {
          problems.push(at(path, found.failure))
          return whole
        }
        if (found.success !== undefined) return found.success
        if (fallback === undefined) {
          const message = `The environment variable ${name} is not set; set it before starting, or remove this setting.`
          missing.push({ path, variable: name, problem: at(path, message) })
          return whole
        }
        leaveOut = fallback === "" && whole === source
        return fallback
      },
    )
    return leaveOut ? undefined : filled
  }
  const walk = (node: unknown, path: Path): void => {
    if (isAlias(node)) {
      problems.push(at(path, `Aliases (*${node.source}) are not used in this file; write the value out.`))
    } else if (isMap(node)) {
      node.items = node.items.filter((pair) => {
        const here = [...path, keyName(pair.key)]
        if (!isScalar(pair.key)) {
          problems.push(at(path, "A key must be a plain word; write it out."))
          return true
        }
        if (!isScalar(pair.value) || typeof pair.value.value !== "string") {
          walk(pair.value, here)
          return true
        }
        const filled = fill(pair.value.value, here)
        pair.value.value = filled
        return filled !== undefined
      })
    } else if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) walk(item, [...path, index])
    } else if (isScalar(node) && typeof node.value === "string") {
      node.value = fill(node.value, path) ?? ""
    }
  }
  walk(doc.contents, [])
  return { value: problems.length > 0 ? undefined : (doc.toJS() as unknown), problems, missing, at, atKey }
}

const keyName = (key: unknown): string => String(isScalar(key) ? key.value : key)

const offsetOf = (doc: Document.Parsed, path: Path, wantKey: boolean): number => {
  let node: unknown = doc.contents
  let offset = startOf(node) ?? 0
  for (const [depth, step] of path.entries()) {
    let key: unknown
    if (isMap(node)) {
      const pair = node.items.find((pair) => keyName(pair.key) === String(step))
      key = pair?.key
      node = pair?.value
    } else if (isSeq(node)) node = node.items[Number(step)]
    else return offset
    const start = wantKey && depth === path.length - 1 ? (startOf(key) ?? startOf(node)) : startOf(node)
    if (start === undefined) return startOf(key) ?? offset
    offset = start
  }
  return offset
}

const startOf = (node: unknown): number | undefined => {
  const range = (node as { readonly range?: readonly [number, number, number] | null } | null | undefined)
    ?.range
  return range?.[0]
}

/** The first syntax error of each line: the others follow from it. */
const syntaxProblems = (
  text: string,
  doc: Document.Parsed,
  place: (offset: number, message: string) => Problem,
): Array<Problem> => {
  const rows = text.split("\n")
  const seen = new Set<number>()
  return doc.errors.flatMap((error) => {
    const problem = place(error.pos[0], syntaxSentence(error.code, error.message))
    if (seen.has(problem.line)) return []
    seen.add(problem.line)
    const unquoted = /[[{].*[^"'\w-]\$\{/.test(rows[problem.line - 1] ?? "")
    return [unquoted ? { ...problem, message: quoteVariables } : problem]
  })
}
const quoteVariables = 'Inside [ ] and { } a variable must be quoted; write "${NAME}".'

/** The parser's own words may quote the file, so only its code is shown. */
const syntaxSentence = (code: string, message: string): string => {
  switch (code) {
    case "DUPLICATE_KEY":
      return "This key is written twice in the same block; remove one of the two."
    case "TAB_AS_INDENT":
      return "Tabs cannot indent YAML; use spaces."
    case "BAD_INDENT":
      return "The indentation does not fit the lines around it; align it with its neighbours."
    case "MISSING_CHAR":
      return "A closing quote, bracket or colon is missing here; add it."
    case "MULTIPLE_DOCS":
      return "The file must hold one document; remove the line `---` between the parts."
    default:
      return message.includes("Nested mappings")
        ? "A value with a colon in it must be quoted; put it in quotes."
        : `This is not valid YAML (${code.toLowerCase().replaceAll("_", " ")}); check this line and the one before it.`
  }
}
