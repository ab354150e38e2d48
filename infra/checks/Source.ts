/**
 * Reads a source file far enough for rules about imports and names: comments and the contents of strings are blanked, so
 * that a rule never trips over words, and every import is found with its specifier and line. Code inside `${}` stays code.
 */
export interface Import {
  readonly specifier: string
  /** Names between the braces, as they are called in the imported module. */
  readonly names: ReadonlyArray<string>
  readonly line: number
}

export interface Source {
  readonly path: string
  /** Same lines and columns as the file, without comments and strings. */
  readonly code: string
  readonly imports: ReadonlyArray<Import>
}

export const readSource = (path: string, text: string): Source => {
  const { code, strings } = blank(text)
  return { path, code, imports: importsOf(code, strings) }
}

export const lineAt = (text: string, index: number): number => {
  let line = 1
  for (let i = text.indexOf("\n"); i !== -1 && i < index; i = text.indexOf("\n", i + 1)) line++
  return line
}

/** Where a specifier can stand: after `from`, after a bare `import`, and inside `import(...)` or `require(...)`. */
const specifiers = /\bfrom\s*(["'])|\bimport\s*(["'])|\b(?:import|require)\s*\(\s*(["'])/g

const importsOf = (code: string, strings: ReadonlyMap<number, string>): Array<Import> => {
  const found: Array<Import> = []
  for (const match of code.matchAll(specifiers)) {
    const quote = match.index + match[0].length - 1
    const specifier = strings.get(quote)
    if (specifier === undefined) continue
    found.push({ specifier, names: namesBefore(code, match.index), line: lineAt(code, match.index) })
  }
  return found
}

/** The names of `import { a, type b as c } from`, read backwards from the word `from`. */
const namesBefore = (code: string, from: number): Array<string> => {
  const close = code.slice(0, from).trimEnd()
  if (!close.endsWith("}")) return []
  const inside = close.slice(close.lastIndexOf("{") + 1, -1)
  return inside
    .split(",")
    .map(
      (part) =>
        part
          .trim()
          .replace(/^type\s+/, "")
          .split(/\s/)[0] ?? "",
    )
    .filter((name) => name !== "")
}

const keywordBeforeRegex =
  /(?:^|[^.\w$])(?:return|typeof|case|in|of|do|else|void|delete|throw|new|yield|await)$/

/** A slash begins a regular expression where a value may begin. */
const regexMayBegin = (before: string): boolean => {
  const tail = before.trimEnd()
  if (tail === "") return true
  return /[(,=:[!&|?{};+\-*%~^<>]$/.test(tail) || keywordBeforeRegex.test(tail.slice(-12))
}

/** Blanks comments, regular expressions and strings; keeps the quotes and remembers what stood between them. */
const blank = (text: string) => {
  const strings = new Map<number, string>()
  let code = ""
  /** Depths of braces at which a `${` was opened. */
  const templates: Array<number> = []
  let depth = 0
  let at = 0
  const skip = (until: number) => {
    code += text.slice(at, until).replace(/[^\n]/g, " ")
    at = until
  }
  const keep = (length: number) => {
    code += text.slice(at, at + length)
    at += length
  }
  /** From inside a template to its end or to the next `${`. */
  const template = () => {
    let end = at
    while (end < text.length && text[end] !== "`" && !text.startsWith("${", end))
      end += text[end] === "\\" ? 2 : 1
    skip(Math.min(end, text.length))
    if (text[at] === "`") return keep(1)
    if (at >= text.length) return
    keep(2)
    templates.push(depth++)
  }
  while (at < text.length) {
    const char = text[at]!
    if (text.startsWith("//", at)) {
      const end = text.indexOf("\n", at)
      skip(end === -1 ? text.length : end)
    } else if (text.startsWith("/*", at)) {
      const end = text.indexOf("*/", at + 2)
      skip(end === -1 ? text.length : end + 2)
    } else if (char === '"' || char === "'") {
      const quote = at
      let end = at + 1
      while (end < text.length && text[end] !== char && text[end] !== "\n") end += text[end] === "\\" ? 2 : 1
      strings.set(quote, text.slice(quote + 1, end))
      keep(1)
      skip(Math.min(end, text.length))
      keep(1)
    } else if (char === "`") {
      keep(1)
      template()
    } else if (char === "/" && regexMayBegin(code)) {
      const body = /^\/(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/.exec(text.slice(at))
      if (body === null) keep(1)
      else skip(at + body[0].length)
    } else {
      keep(1)
      if (char === "{") depth++
      if (char === "}" && --depth === templates.at(-1)) {
        templates.pop()
        template()
      }
    }
  }
  return { code, strings }
}
