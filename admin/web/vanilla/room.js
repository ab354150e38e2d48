// @ts-check
/**
 * The room as the page sees it: stored events and live deltas become a list of items. Pure: no DOM.
 *
 * An item is a person's words, a turn (an agent's tools, words and bill), or a mark (why somebody stayed silent).
 * A turn stands where it began; its later events change it in place.
 */

/**
 * @typedef {{ type: "words", key: string, pos: number, at: string, event: any, text: string, edited: boolean }} Words
 * @typedef {{ call: string, tool: string, summary: string, state: string, ok: boolean | null, exitCode: number | null, ms: number | null }} Receipt
 * @typedef {{ fence: number, next: number, text: string }} Live
 * @typedef {{ type: "turn", key: string, pos: number, at: string, turn: string, agent: string, message: string | null, state: string, note: string | null, reason: string | null, receipts: Array<Receipt>, asks: Array<any>, said: Array<{ id: string, text: string }>, live: Live | null, bill: any }} TurnItem
 * @typedef {{ type: "mark", key: string, pos: number, at: string, intent: any }} Mark
 * @typedef {Words | TurnItem | Mark} Item
 */

export class Room {
  constructor() {
    /** @type {Array<Item>} */
    this.items = []
    /** @type {Map<string, TurnItem>} */
    this.turns = new Map()
    /** @type {Map<string, Words>} by event id */
    this.words = new Map()
    /** @type {Map<string, string>} why a leader leads, by message and agent */
    this.reasons = new Map()
    this.last = 0
  }

  /** @param {any} event @returns {Item | null} the item that changed */
  apply(event) {
    this.last = Math.max(this.last, event.pos)
    switch (event.kind) {
      case "message":
        return this.#message(event)
      case "intent":
        return this.#intent(event)
      case "turn":
        return this.#turn(event)
      case "tool":
        return this.#tool(event)
      case "approval":
        return this.#approval(event)
      default:
        return null
    }
  }

  /** @param {any} delta @returns {Item | null} */
  say(delta) {
    const item = this.#turnOf(delta.turn, delta.agent, new Date().toISOString(), this.last)
    if (isOver(item)) return null
    let live = item.live
    if (live !== null && delta.fence < live.fence) return null
    // A higher fence is another process that took the turn over and says it anew.
    if (live === null || delta.fence > live.fence)
      live = { fence: delta.fence, next: delta.n, text: delta.n > 0 ? "… " : "" }
    if (delta.n < live.next) return null
    if (delta.n > live.next) live.text += " … "
    live.text += delta.text
    live.next = delta.n + 1
    item.live = live
    return item
  }

  /** The agents at work now. @returns {Set<string>} */
  working() {
    return new Set([...this.turns.values()].filter((item) => !isOver(item)).map((item) => item.agent))
  }

  /** @param {any} event */
  #message(event) {
    const edited = event.edits === null ? undefined : this.words.get(event.edits)
    if (edited !== undefined) {
      edited.text = event.text
      edited.edited = true
      return edited
    }
    if (event.turn !== null) {
      const item = this.#turnOf(event.turn, event.author.id, event.at, event.pos)
      item.said.push({ id: event.id, text: event.text })
      item.live = null
      return item
    }
    const item = /** @type {Words} */ ({
      type: "words",
      key: event.id,
      pos: event.pos,
      at: event.at,
      event,
      text: event.text,
      edited: false,
    })
    this.words.set(event.id, item)
    return this.#add(item)
  }

  /** @param {any} event */
  #intent(event) {
    if (event.verdict === "lead") {
      this.reasons.set(`${event.message}/${event.leader}`, event.reason)
      for (const item of this.turns.values()) {
        if (item.message === event.message && item.agent === event.leader) item.reason = event.reason
      }
      return null
    }
    return this.#add({ type: "mark", key: event.id, pos: event.pos, at: event.at, intent: event })
  }

  /** @param {any} event */
  #turn(event) {
    const item = this.#turnOf(event.turn, event.agent, event.at, event.pos)
    item.message = event.message
    item.reason = this.reasons.get(`${event.message}/${event.agent}`) ?? item.reason
    if (event.state === "joined") return item
    item.state = event.state
    item.note = event.reason
    if (isOver(item)) item.live = null
    if (event.usage !== null || event.ms !== null) item.bill = event
    return item
  }

  /** @param {any} event */
  #tool(event) {
    const item = this.#turnOf(event.turn, event.agent, event.at, event.pos)
    const { call, tool, summary, state, ok, exitCode, ms } = event
    const receipt = { call, tool, summary, state, ok, exitCode, ms }
    const at = item.receipts.findIndex((known) => known.call === call)
    if (at === -1) item.receipts.push(receipt)
    else item.receipts[at] = receipt
    return item
  }

  /** @param {any} event */
  #approval(event) {
    const item = this.#turnOf(event.turn, event.agent, event.at, event.pos)
    item.asks = [...item.asks.filter((ask) => ask.call !== event.call), event]
    return item
  }

  /** @param {string} turn @param {string} agent @param {string} at @param {number} pos */
  #turnOf(turn, agent, at, pos) {
    const known = this.turns.get(turn)
    if (known !== undefined) return known
    const item = /** @type {TurnItem} */ ({
      type: "turn",
      key: turn,
      pos,
      at,
      turn,
      agent,
      message: null,
      state: "started",
      note: null,
      reason: null,
      receipts: [],
      asks: [],
      said: [],
      live: null,
      bill: null,
    })
    this.turns.set(turn, item)
    this.#add(item)
    return item
  }

  /** @template {Item} T @param {T} item @returns {T} */
  #add(item) {
    this.items.push(item)
    return item
  }
}

/** @param {TurnItem} item */
export const isOver = (item) => ["finished", "failed", "stopped", "parked"].includes(item.state)
