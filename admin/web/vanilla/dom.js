// @ts-check
/** Builds DOM nodes. Text is always a text node: nothing from outside is ever parsed as HTML. */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | boolean | ((event: any) => void) | null | undefined>} [props] attributes; `onclick` and the like are listeners
 * @param {ReadonlyArray<Child>} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export const h = (tag, props = {}, ...children) => {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue
    if (typeof value === "function") node.addEventListener(name.slice(2), value)
    else node.setAttribute(name, value === true ? "" : value)
  }
  append(node, children)
  return node
}

/** @param {Node} node @param {ReadonlyArray<Child>} children */
export const append = (node, children) => {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue
    node.appendChild(typeof child === "string" ? document.createTextNode(child) : child)
  }
}

/** @param {Element} node @param {ReadonlyArray<Child>} children */
export const fill = (node, ...children) => {
  node.replaceChildren()
  append(node, children)
}

/** @param {string} id @returns {any} */
export const byId = (id) => {
  const node = document.getElementById(id)
  if (node === null) throw new Error(`The page has no #${id}`)
  return node
}

/** @param {string} path an SVG path on a 20 by 20 field */
export const icon = (path) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  svg.setAttribute("viewBox", "0 0 20 20")
  svg.setAttribute("aria-hidden", "true")
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path")
  line.setAttribute("d", path)
  svg.appendChild(line)
  return svg
}

/** A stable colour for an id. @param {string} id */
export const hueOf = (id) => {
  let hash = 2166136261
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 16777619)
  return String(((hash >>> 0) % 12) * 30 + 15)
}

/** @param {string} id @param {string} name @param {string} [state] */
export const avatar = (id, name, state) => {
  const node = h(
    "span",
    { class: "avatar", "aria-hidden": "true", "data-state": state },
    name.slice(0, 1).toUpperCase(),
  )
  node.style.setProperty("--hue", hueOf(id))
  return node
}

/** @param {string} message */
export const toast = (message) => {
  const node = h(
    "div",
    { class: "toast" },
    h("span", {}, message),
    h(
      "button",
      { class: "icon-button", type: "button", "aria-label": "Close", onclick: () => node.remove() },
      icon("M5.500 5.500l9 9M14.500 5.500l-9 9"),
    ),
  )
  byId("toasts").appendChild(node)
  setTimeout(() => node.remove(), 9000)
}
