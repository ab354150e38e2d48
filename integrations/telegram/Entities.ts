/**
 * Markdown, as an agent writes it, to Telegram's text and entities. Pure. Marks become entities and every other
 * character stays where it was, also in Markdown that is cut off or wrong: formatting never eats an answer.
 *
 * Four-space "indented code" is plain text here: agents mean a list or an aligned line by it. A link that
 * Telegram would not follow shows its target as text.
 */
import { Lexer, Tokenizer } from "marked"
import type { MarkedToken, Token, Tokens } from "marked"
import { cleanText } from "./Clean.ts"
import { Writer } from "./Writer.ts"
import type { Formatted } from "./Writer.ts"

class NoIndentedCode extends Tokenizer {
  override code(): undefined {
    return undefined
  }
}

/** Telegram takes 100 entities in a message. */
export const maxEntities = 100

export const format = (markdown: string): Formatted => written(markdown).result(maxEntities)

/** With every entity, also those beyond Telegram's number. */
export const formatAll = (markdown: string): Formatted => written(markdown).result(Infinity)

function written(markdown: string): Writer {
  const writer = new Writer()
  blocks(writer, new Lexer({ gfm: true, tokenizer: new NoIndentedCode() }).lex(cleanText(markdown)), 0)
  return writer
}

function blocks(writer: Writer, tokens: ReadonlyArray<Token>, depth: number): void {
  for (const token of tokens as ReadonlyArray<MarkedToken>) {
    block(writer, token, depth)
    if (token.type !== "space") writer.add(/\n*$/.exec(token.raw)?.[0] ?? "")
  }
}

function block(writer: Writer, token: MarkedToken, depth: number): void {
  switch (token.type) {
    case "space":
      return writer.add(token.raw)
    case "heading":
      return writer.wrap("bold", () => inline(writer, token.tokens))
    case "paragraph":
      return inline(writer, token.tokens)
    case "text":
      return token.tokens === undefined ? writer.add(token.text) : inline(writer, token.tokens)
    case "code":
      writer.line()
      if (token.text.trim() === "") return writer.add(token.raw.trimEnd())
      return preformatted(writer, token.text, token.lang)
    case "blockquote":
      return writer.wrap("blockquote", () => blocks(writer, token.tokens, depth))
    case "list":
      return list(writer, token, depth)
    case "table":
      return preformatted(writer, table(token), undefined)
    case "hr":
      return writer.add("———")
    case "checkbox":
      return writer.add(token.raw)
    default:
      return writer.add(token.raw.replace(/\n*$/, ""))
  }
}

/** What follows the language, often the name of a file, is a line of its own. */
function preformatted(writer: Writer, text: string, info: string | undefined): void {
  const [, language = "", more = ""] = /^(\S*)\s*(.*)$/s.exec(info?.trim() ?? "") ?? []
  if (more !== "") writer.add(`${more}\n`)
  writer.wrap("pre", () => writer.add(text), language === "" ? {} : { language })
}

function list(writer: Writer, { items, loose }: Tokens.List, depth: number): void {
  items.forEach((item, index) => {
    if (index > 0) {
      writer.line()
      if (loose) writer.add("\n")
    }
    const number = /^\s*(\d+[.)])/.exec(item.raw)?.[1]
    writer.add(`${"  ".repeat(depth)}${number ?? "•"} `)
    let first = true
    for (const token of item.tokens as ReadonlyArray<MarkedToken>) {
      if (token.type === "space") writer.add("\n")
      else if (token.type === "list") {
        writer.line()
        list(writer, token, depth + 1)
      } else {
        if (!first) writer.line()
        block(writer, token, depth + 1)
        first = token.type === "checkbox"
      }
    }
  })
}

function inline(writer: Writer, tokens: ReadonlyArray<Token>): void {
  for (const token of tokens as ReadonlyArray<MarkedToken>)
    switch (token.type) {
      case "strong":
        if (dunder.test(token.raw)) writer.add(token.raw)
        else writer.wrap("bold", () => inline(writer, token.tokens))
        break
      case "em":
        writer.wrap("italic", () => inline(writer, token.tokens))
        break
      case "del":
        if (token.raw.startsWith("~~")) writer.wrap("strikethrough", () => inline(writer, token.tokens))
        else {
          writer.add("~")
          inline(writer, token.tokens)
          writer.add("~")
        }
        break
      case "codespan":
        writer.wrap("code", () => writer.add(token.text))
        break
      case "link":
        link(writer, token, () => inline(writer, token.tokens))
        break
      case "image":
        link(writer, token, () => writer.add(token.text))
        break
      case "br":
        writer.add("\n")
        break
      case "escape":
        writer.add(token.text)
        break
      case "text":
        if (token.tokens === undefined) writer.add(token.text)
        else inline(writer, token.tokens)
        break
      default:
        writer.add(token.raw)
    }
}

/** `__init__` is a name, not emphasis. */
const dunder = /^__[a-z0-9_]+__$/

const followed = /^(https?:\/\/|mailto:|tg:\/\/|tel:)\S+$/i

function link(
  writer: Writer,
  { href, text, title, raw }: Tokens.Link | Tokens.Image,
  body: () => void,
): void {
  const bare = raw === text || raw === `<${text}>`
  if (bare) writer.add(text)
  else if (text.trim() === "") writer.add(href)
  else if (followed.test(href)) writer.wrap("text_link", body, { url: href })
  else {
    body()
    writer.add(` (${href})`)
  }
  if (!bare && title) writer.add(` (${title})`)
}

const widest = 72

/** Aligned where it stays narrow enough to read, else as it was written. */
function table({ header, rows, raw }: Tokens.Table): string {
  const cells = [header, ...rows].map((row) => row.map((cell) => plain(cell.tokens)))
  const widths = header.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)))
  if (widths.reduce((sum, width) => sum + width + 3, 0) > widest) return raw.trimEnd()
  const lines = cells.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join(" | ")
      .trimEnd(),
  )
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)).join("-+-"))
  return lines.join("\n")
}

function plain(tokens: ReadonlyArray<Token>): string {
  const writer = new Writer()
  inline(writer, tokens)
  const { text, entities } = writer.result(Infinity)
  return entities
    .flatMap(({ url }) => (url === undefined ? [] : [` (${url})`]))
    .reduce((all, url) => all + url, text)
}
