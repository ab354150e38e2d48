// @ts-check
/** Draws the room's items. Each item has one node, drawn again only when the item changed, once a frame. */
import { append, avatar, fill, h, icon } from "./dom.js"
import * as format from "./format.js"
import { markdown, withMentions } from "./markdown.js"
import { isOver } from "./room.js"

/**
 * @typedef {import("./room.js").Item} Item
 * @typedef {import("./room.js").TurnItem} TurnItem
 * @typedef {import("./room.js").Words} Words
 */

export class Timeline {
  /**
   * @param {HTMLElement} list
   * @param {{ nameOf: (agent: string) => string, titleOf: (agent: string) => string, isMe: (author: any) => boolean, why: (message: string) => Promise<Array<any>>, drawn: () => void }} about
   */
  constructor(list, about) {
    this.list = list
    this.about = about
    /** @type {Map<string, HTMLElement>} */
    this.nodes = new Map()
    /** @type {Map<string, Item>} */
    this.dirty = new Map()
    /** @type {Map<string, HTMLElement>} */
    this.opened = new Map()
    this.frame = 0
  }

  clear() {
    cancelAnimationFrame(this.frame)
    this.frame = 0
    this.nodes.clear()
    this.dirty.clear()
    this.opened.clear()
    this.list.replaceChildren()
  }

  /** @param {Item} item */
  changed(item) {
    this.dirty.set(item.key, item)
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.#draw())
  }

  #draw() {
    this.frame = 0
    for (const item of this.dirty.values()) {
      const node = this.nodes.get(item.key) ?? this.#place(item)
      if (item.type === "words") this.#drawWords(node, item)
      else if (item.type === "turn") this.#drawTurn(node, item)
      else this.#drawMark(node, item)
    }
    this.dirty.clear()
    this.about.drawn()
  }

  /** @param {Item} item */
  #place(item) {
    const node = h("li", {
      class: item.type,
      "data-pos": String(item.pos),
      "data-day": String(format.dayKey(item.at)),
    })
    this.nodes.set(item.key, node)
    const before = [...this.list.children].find((other) => Number(other.getAttribute("data-pos")) > item.pos)
    // What is being sent stays below everything that was said.
    this.list.insertBefore(node, before ?? this.list.querySelector(".pending"))
    this.#separateDays(node, item)
    return node
  }

  /** @param {HTMLElement} node @param {Item} item */
  #separateDays(node, item) {
    const key = String(format.dayKey(item.at))
    const previous = node.previousElementSibling
    if (previous?.getAttribute("data-day") !== key) {
      const line = h(
        "li",
        { class: "day", "data-pos": String(item.pos), "data-day": key },
        h("span", {}, format.day(item.at)),
      )
      this.list.insertBefore(line, node)
    }
    const next = node.nextElementSibling
    if (next?.classList.contains("day") && next.getAttribute("data-day") === key) next.remove()
  }

  /** @param {HTMLElement} node @param {Words} item */
  #drawWords(node, item) {
    const { author, id } = item.event
    const mine = this.about.isMe(author)
    const agent = author.kind === "agent"
    node.classList.toggle("mine", mine)
    node.classList.toggle("from-agent", agent)
    const text = h("div", { class: "bubble" })
    if (agent) append(text, [markdown(item.text)])
    else append(text, withMentions(item.text))
    for (const file of item.event.attachments)
      append(text, [h("span", { class: "file" }, `${file.kind}: ${file.name}`)])
    const why = h(
      "button",
      {
        class: "why",
        type: "button",
        "aria-expanded": "false",
        onclick: () => void this.#why(node, why, id),
      },
      "Why?",
    )
    fill(
      node,
      mine ? null : avatar(author.id, author.name),
      h(
        "article",
        { class: "said", "aria-label": `${mine ? "You" : author.name} at ${format.time(item.at)}` },
        h(
          "header",
          { class: "by" },
          mine ? null : h("b", {}, author.name),
          h("time", { datetime: item.at, title: format.fullTime(item.at) }, format.time(item.at)),
          item.edited && h("span", {}, "edited"),
          author.kind === "person" && why,
        ),
        text,
        this.opened.get(id) ?? null,
      ),
    )
  }

  /** @param {HTMLElement} node @param {HTMLElement} button @param {string} message */
  async #why(node, button, message) {
    const open = this.opened.get(message)
    if (open !== undefined) {
      open.remove()
      this.opened.delete(message)
      button.setAttribute("aria-expanded", "false")
      return
    }
    const entries = await this.about.why(message)
    const list = h(
      "ul",
      { class: "reasons", "aria-label": "Why" },
      ...entries.map((entry) =>
        h(
          "li",
          {},
          avatar(entry.agent, entry.name),
          h("span", {}, h("b", {}, entry.name), ` ${verdictWords(entry.verdict)}: ${entry.reason}`),
        ),
      ),
      entries.length === 0 && h("li", {}, "Nobody was asked."),
    )
    this.opened.set(message, list)
    button.setAttribute("aria-expanded", "true")
    node.querySelector("article")?.appendChild(list)
  }

  /** @param {HTMLElement} node @param {TurnItem} item */
  #drawTurn(node, item) {
    const name = this.about.nameOf(item.agent)
    node.setAttribute("data-state", item.state)
    const openCalls = new Set(
      [...node.querySelectorAll("details[open]")].map((open) => open.getAttribute("data-call")),
    )
    const body = h("article", {
      class: "said",
      "aria-label": `${name} at ${format.time(item.at)}`,
      "aria-busy": String(!isOver(item)),
    })
    append(body, [
      h(
        "header",
        { class: "by" },
        h("b", {}, name),
        h("span", { class: "role" }, this.about.titleOf(item.agent)),
        h("time", { datetime: item.at, title: format.fullTime(item.at) }, format.time(item.at)),
        item.reason !== null && h("span", { class: "because" }, item.reason),
      ),
      item.receipts.length > 0 && receipts(item, openCalls),
      ...item.said.map(({ text }) => h("div", { class: "prose" }, markdown(text))),
      item.live !== null && h("div", { class: "prose live" }, markdown(item.live.text)),
      !isOver(item) && item.live === null && item.said.length === 0 && thinking(item, name),
      ...item.asks.map((ask) => approval(ask, name)),
      trouble(item, name),
      bill(item),
    ])
    fill(node, avatar(item.agent, name, isOver(item) ? undefined : "working"), body)
  }

  /** @param {HTMLElement} node @param {import("./room.js").Mark} item */
  #drawMark(node, { intent }) {
    const name = this.about.nameOf(intent.leader)
    fill(
      node,
      h(
        "span",
        { class: "mark-text" },
        avatar(intent.leader, name),
        h("span", {}, h("b", {}, name), ` ${verdictWords(intent.verdict)}: ${intent.reason}`),
      ),
    )
  }
}

/** @param {string} verdict */
const verdictWords = (verdict) =>
  ({
    lead: "leads",
    queued: "is next",
    joined: "takes it along",
    pass: "stays silent",
    parked: "is parked",
    due: "is deciding",
  })[verdict] ?? verdict

/** @param {TurnItem} item @param {string} name */
const thinking = (item, name) =>
  h(
    "p",
    { class: "thinking" },
    h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
    h(
      "span",
      { class: "sr-only" },
      item.state === "waiting" ? `${name} waits for an answer` : `${name} is working`,
    ),
  )

/** @param {TurnItem} item @param {Set<string | null>} open */
const receipts = (item, open) => {
  const rows = item.receipts.map((receipt) => receiptRow(receipt, open.has(receipt.call)))
  if (!isOver(item) || rows.length <= 5) return h("div", { class: "receipts" }, ...rows)
  const bad = item.receipts.filter((receipt) => receipt.ok === false).length
  return h(
    "details",
    { class: "receipts more", "data-call": "all", open: open.has("all") },
    h(
      "summary",
      {},
      chevron(),
      h("span", { class: "what" }, `${rows.length} receipts`),
      h("span", { class: "how" }, bad === 0 ? "all fine" : `${bad} failed`),
    ),
    ...rows,
  )
}

const chevron = () => {
  const node = icon("M7.500 5l5 5-5 5")
  node.classList.add("chevron")
  return node
}

/** @param {import("./room.js").Receipt} receipt @param {boolean} open */
const receiptRow = (receipt, open) => {
  const running = receipt.state === "started"
  const outcome = running
    ? "running"
    : receipt.state === "unknown"
      ? "unknown"
      : receipt.ok === false
        ? "bad"
        : "ok"
  const how = [
    running
      ? "running"
      : receipt.state === "unknown"
        ? "outcome unknown"
        : receipt.exitCode === null
          ? null
          : `exit ${receipt.exitCode}`,
    receipt.ms === null ? null : format.duration(receipt.ms),
  ].filter((part) => part !== null)
  const sign = {
    running: "M10 4a6 6 0 1 1-6 6",
    ok: "M5 10.500l3.500 3.500L15 6.500",
    bad: "M6 6l8 8M14 6l-8 8",
    unknown: "M10 5.500v5.500M10 14v.1",
  }[outcome]
  return h(
    "details",
    { class: "receipt", "data-outcome": outcome, "data-call": receipt.call, open },
    h(
      "summary",
      {},
      h(
        "span",
        {
          class: "sign",
          role: "img",
          "aria-label": { running: "Running", ok: "Done", bad: "Failed", unknown: "Unknown" }[outcome],
        },
        icon(sign),
      ),
      h("code", { class: "what" }, receipt.summary),
      h("span", { class: "how" }, how.join(" · ")),
    ),
    h("pre", { class: "whole", tabindex: "0" }, h("code", {}, receipt.summary)),
    h(
      "dl",
      {},
      h("div", {}, h("dt", {}, "Tool"), h("dd", {}, receipt.tool)),
      h(
        "div",
        {},
        h("dt", {}, "Exit code"),
        h("dd", {}, receipt.exitCode === null ? "none" : String(receipt.exitCode)),
      ),
      h(
        "div",
        {},
        h("dt", {}, "Took"),
        h("dd", {}, receipt.ms === null ? "not finished" : format.duration(receipt.ms)),
      ),
    ),
  )
}

/** @param {any} ask @param {string} name */
const approval = (ask, name) => {
  const answer = { yes: "allowed", no: "refused", expired: "refused, nobody answered" }[
    /** @type {string} */ (ask.answer)
  ]
  return h(
    "p",
    { class: "ask" },
    `${name} asks: `,
    h("code", {}, ask.summary),
    answer === undefined ? " waits for an answer" : ` was ${answer}`,
  )
}

/** @param {TurnItem} item @param {string} name */
const trouble = (item, name) => {
  const words = {
    failed: `${name} could not finish`,
    stopped: `${name} was stopped`,
    parked: `${name} is parked`,
  }[item.state]
  return words === undefined
    ? null
    : h("p", { class: "trouble" }, item.note === null ? `${words}.` : `${words}: ${item.note}`)
}

/** @param {TurnItem} item */
const bill = (item) => {
  if (item.bill === null || !isOver(item)) return null
  const { ms, usage, cost, tools } = item.bill
  const parts = []
  if (ms !== null) parts.push(format.duration(ms))
  if (usage !== null)
    parts.push(
      format.tokens(usage.input + usage.output + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h),
    )
  if (cost !== null) parts.push(format.money(cost))
  if (tools) parts.push(tools === 1 ? "1 tool" : `${tools} tools`)
  const title =
    usage === null
      ? null
      : `${usage.input} in, ${usage.output} out, ${usage.cacheRead} read from the cache, ${usage.cacheWrite5m + usage.cacheWrite1h} written to it`
  return h("footer", { class: "bill", title }, parts.join(" · "))
}
