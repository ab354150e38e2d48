// @ts-check
/**
 * Markdown as DOM nodes. `marked` only cuts the text into tokens; every node is made here from a fixed list of
 * kinds. HTML in the text is shown as text, links lead only to the web or to mail, pictures are shown as links.
 */
import { append, h } from "./dom.js"
// @ts-ignore: served from the package of that name
import { lexer } from "./marked.js"

/** @param {string} text @returns {DocumentFragment} */
export const markdown = (text) => {
  const out = document.createDocumentFragment()
  try {
    append(out, blocks(lexer(text, { gfm: true, breaks: true })))
  } catch {
    // Text that the lexer cannot cut (nested too deeply) is still shown, as it is.
    out.replaceChildren(h("p", {}, text))
  }
  return out
}

/** @param {ReadonlyArray<any>} tokens @returns {Array<Node>} */
const blocks = (tokens) => tokens.flatMap(block)

/** @param {any} token @returns {Array<Node>} */
const block = (token) => {
  switch (token.type) {
    case "space":
    case "def":
      return []
    case "paragraph":
      return [h("p", {}, ...inlines(token.tokens))]
    case "text":
      return token.tokens ? inlines(token.tokens) : [document.createTextNode(plain(token.text))]
    case "heading":
      return [h(/** @type {"h3"} */ (`h${Math.min(6, token.depth + 2)}`), {}, ...inlines(token.tokens))]
    case "code":
      return [codeBlock(token.text, (token.lang ?? "").split(/\s/)[0])]
    case "blockquote":
      return [h("blockquote", {}, ...blocks(token.tokens))]
    case "hr":
      return [h("hr")]
    case "list":
      return [list(token)]
    case "table":
      return [table(token)]
    case "html":
      return [h("p", {}, token.raw.trimEnd())]
    default:
      return [document.createTextNode(token.raw ?? "")]
  }
}

/** @param {any} token */
const list = (token) => {
  const items = token.items.map((/** @type {any} */ item) =>
    h(
      "li",
      { class: item.task ? "task" : null },
      item.task &&
        h("input", {
          type: "checkbox",
          disabled: true,
          checked: item.checked === true,
          "aria-label": "Done",
        }),
      ...blocks(item.tokens.filter((/** @type {any} */ part) => part.type !== "checkbox")),
    ),
  )
  return token.ordered ? h("ol", { start: String(token.start || 1) }, ...items) : h("ul", {}, ...items)
}

/** @param {any} token */
const table = (token) => {
  /** @param {"th" | "td"} tag @param {any} cell @param {number} i */
  const cellOf = (tag, cell, i) =>
    h(tag, { class: token.align[i] ? `to-${token.align[i]}` : null }, ...inlines(cell.tokens))
  const head = h(
    "tr",
    {},
    ...token.header.map((/** @type {any} */ cell, /** @type {number} */ i) => cellOf("th", cell, i)),
  )
  const rows = token.rows.map((/** @type {any} */ row) =>
    h("tr", {}, ...row.map((/** @type {any} */ cell, /** @type {number} */ i) => cellOf("td", cell, i))),
  )
  return h(
    "div",
    { class: "table", tabindex: "0" },
    h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows)),
  )
}

/** @param {string} text @param {string} lang */
const codeBlock = (text, lang) => {
  const copy = h(
    "button",
    { class: "copy", type: "button", onclick: () => void copyText(text, copy) },
    "Copy",
  )
  return h(
    "figure",
    { class: "code" },
    h("figcaption", {}, h("span", {}, lang || "text"), copy),
    h("pre", { tabindex: "0" }, h("code", {}, text)),
  )
}

/** @param {string} text @param {HTMLElement} button */
const copyText = async (text, button) => {
  await navigator.clipboard.writeText(text)
  button.textContent = "Copied"
  setTimeout(() => (button.textContent = "Copy"), 1500)
}

/** @param {ReadonlyArray<any>} tokens @returns {Array<Node>} */
const inlines = (tokens) => tokens.flatMap(inline)

/** @param {any} token @returns {Array<Node>} */
const inline = (token) => {
  switch (token.type) {
    case "text":
    case "escape":
      return token.tokens ? inlines(token.tokens) : withMentions(plain(token.text))
    case "strong":
    case "em":
    case "del":
      return [h(/** @type {"em"} */ (token.type), {}, ...inlines(token.tokens))]
    case "codespan":
      return [h("code", {}, plain(token.text))]
    case "br":
      return [h("br")]
    case "link":
      return link(token.href, inlines(token.tokens))
    case "image":
      return link(token.href, [document.createTextNode(plain(token.text) || token.href)])
    default:
      return [document.createTextNode(token.raw ?? "")]
  }
}

/** @param {string} href @param {Array<Node>} children @returns {Array<Node>} */
const link = (href, children) => {
  const url = URL.canParse(href) ? new URL(href) : undefined
  const safe = url !== undefined && ["http:", "https:", "mailto:"].includes(url.protocol)
  return safe
    ? [h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, ...children)]
    : children
}

/** `@name` stands out. @param {string} text @returns {Array<Node>} */
export const withMentions = (text) =>
  text
    .split(/((?<![\w@./-])@[a-z][a-z0-9_-]*)/i)
    .map((part, i) => (i % 2 === 1 ? h("span", { class: "at" }, part) : document.createTextNode(part)))

/** @type {Record<string, string>} */
const entities = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", nbsp: "\u00a0" }
/** @param {string} text */
const plain = (text) => text.replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name) => entities[name] ?? "")
