/**
 * The open room as the page sees it: stored events and live deltas become a list of items. Pure: no DOM.
 *
 * An item is a person's words, a turn (an agent's tools, words, questions and bill), or a mark (why somebody stayed silent).
 * A turn stands where it began; its later events change it in place. An item that changed is a new object, so that only it
 * is drawn again.
 */
import type { Event, MessageEvent } from "../../../runtime/index.ts"
import type { Delta } from "../../api/index.ts"

type Of<K extends Event["kind"]> = Extract<Event, { readonly kind: K }>

export interface Words {
  readonly type: "words"
  readonly key: string
  readonly pos: number
  readonly at: string
  readonly event: MessageEvent
  readonly text: string
  readonly edited: boolean
}
export interface Receipt {
  readonly call: string
  readonly tool: string
  readonly summary: string
  readonly state: Of<"tool">["state"]
  readonly ok: boolean | null
  readonly exitCode: number | null
  readonly ms: number | null
  readonly at: string
}
interface Live {
  readonly fence: number
  readonly next: number
  readonly text: string
}
export interface Said {
  readonly id: string
  readonly text: string
  readonly at: string
  /** What can be pressed below these words. */
  readonly actions: NonNullable<MessageEvent["actions"]>
}
export interface TurnItem {
  readonly type: "turn"
  readonly key: string
  readonly pos: number
  readonly at: string
  readonly turn: string
  readonly agent: string
  readonly message: string | null
  readonly state: Of<"turn">["state"]
  readonly note: string | null
  /** Why this agent leads. */
  readonly reason: string | null
  readonly receipts: ReadonlyArray<Receipt>
  readonly asks: ReadonlyArray<Of<"approval">>
  readonly said: ReadonlyArray<Said>
  readonly live: Live | null
  readonly bill: Of<"turn"> | null
  /** Where the platform has it. */
  readonly deliveries: ReadonlyArray<Of<"delivery">>
}
export interface Mark {
  readonly type: "mark"
  readonly key: string
  readonly pos: number
  readonly at: string
  readonly intent: Of<"intent">
}
export type Item = Words | TurnItem | Mark

const over: ReadonlySet<string> = new Set(["finished", "failed", "stopped", "parked"])
export const isOver = (item: TurnItem): boolean => over.has(item.state)

export class RoomState {
  /** In the order of the log; replaced, never changed, when anything changed. */
  items: ReadonlyArray<Item> = []
  /** The first and last position that was told. */
  first = Number.POSITIVE_INFINITY
  last = 0
  private list: Array<Item> = []
  private readonly places = new Map<string, number>()
  private readonly reasons = new Map<string, string>()
  /** Turns by the message they lead and their agent, for reasons told later. */
  private readonly leads = new Map<string, string>()
  private log: Array<Event> = []

  apply(event: Event): void {
    this.log.push(event)
    this.first = Math.min(this.first, event.pos)
    this.last = Math.max(this.last, event.pos)
    switch (event.kind) {
      case "message":
        return this.message(event)
      case "intent":
        return this.intent(event)
      case "turn":
        return this.turn(event)
      case "tool":
        return this.tool(event)
      case "approval":
        return this.change(this.turnOf(event), (item) => ({
          asks: [...item.asks.filter((ask) => ask.call !== event.call), event],
        }))
      case "delivery":
        return this.change(this.turnOf(event), (item) => ({ deliveries: [...item.deliveries, event] }))
    }
  }

  /** Earlier events, before all that was told: turns that the page had cut in two become whole. */
  prepend(events: ReadonlyArray<Event>): void {
    const live = new Map(
      this.list.flatMap((i) => (i.type === "turn" && i.live !== null ? [[i.key, i.live]] : [])),
    )
    const log = [...events.filter((e) => e.pos < this.first), ...this.log]
    this.list = []
    this.places.clear()
    this.log = []
    for (const event of log) this.apply(event)
    for (const [key, text] of live) if (this.places.has(key)) this.change(key, () => ({ live: text }))
  }

  say(delta: Delta): void {
    const key = this.turnOf({ ...delta, at: new Date().toISOString(), pos: this.last })
    this.change(key, (item) => {
      if (isOver(item)) return {}
      let { live } = item
      if (live !== null && delta.fence < live.fence) return {}
      // A higher fence is another process that took the turn over and says it anew.
      if (live === null || delta.fence > live.fence)
        live = { fence: delta.fence, next: delta.n, text: delta.n > 0 ? "… " : "" }
      if (delta.n < live.next) return {}
      const gap = delta.n > live.next ? " … " : ""
      return { live: { fence: live.fence, next: delta.n + 1, text: live.text + gap + delta.text } }
    })
  }

  /** Makes what changed visible. */
  publish(): void {
    this.items = [...this.list]
  }

  /** The event with this id stands in the list. */
  has(event: string): boolean {
    return this.places.has(event)
  }

  /** Turns that are not over. */
  get open(): ReadonlyArray<TurnItem> {
    return this.list.filter((item): item is TurnItem => item.type === "turn" && !isOver(item))
  }

  private message(event: MessageEvent): void {
    const edited = event.edits === null ? undefined : this.places.get(event.edits)
    if (edited !== undefined) {
      const item = this.list[edited]!
      if (item.type === "words") this.list[edited] = { ...item, text: event.text, edited: true }
      return
    }
    if (event.turn !== null) {
      const key = this.turnOf({ turn: event.turn, agent: event.author.id, at: event.at, pos: event.pos })
      const said = { id: event.id, text: event.text, at: event.at, actions: event.actions ?? [] }
      return this.change(key, (item) => ({ said: [...item.said, said], live: null }))
    }
    this.add({
      type: "words",
      key: event.id,
      pos: event.pos,
      at: event.at,
      event,
      text: event.text,
      edited: false,
    })
  }

  private intent(event: Of<"intent">): void {
    if (event.verdict !== "lead") {
      this.add({ type: "mark", key: event.id, pos: event.pos, at: event.at, intent: event })
      return
    }
    const lead = `${event.message}/${event.leader}`
    this.reasons.set(lead, event.reason)
    const turn = this.leads.get(lead)
    if (turn !== undefined) this.change(turn, () => ({ reason: event.reason }))
  }

  private turn(event: Of<"turn">): void {
    const lead = `${event.message}/${event.agent}`
    const key = this.turnOf(event)
    if (event.state === "started") this.leads.set(lead, key)
    this.change(key, (item) => {
      const known = { message: item.message ?? event.message, reason: this.reasons.get(lead) ?? item.reason }
      if (event.state === "joined") return known
      return {
        ...known,
        state: event.state === "resumed" ? ("started" as const) : event.state,
        note: event.reason,
        ...(over.has(event.state) ? { live: null } : {}),
        ...(event.usage !== null || event.ms !== null ? { bill: event } : {}),
      }
    })
  }

  private tool(event: Of<"tool">): void {
    const { call, tool, summary, state, ok, exitCode, ms, at } = event
    this.change(this.turnOf(event), ({ receipts }) => {
      const known = receipts.findIndex((r) => r.call === call)
      const receipt = { call, tool, summary, state, ok, exitCode, ms, at: receipts[known]?.at ?? at }
      return { receipts: known === -1 ? [...receipts, receipt] : receipts.with(known, receipt) }
    })
  }

  private turnOf(of: {
    readonly turn: string
    readonly agent: string
    readonly at: string
    readonly pos: number
  }) {
    if (!this.places.has(of.turn))
      this.add({
        type: "turn",
        key: of.turn,
        pos: of.pos,
        at: of.at,
        turn: of.turn,
        agent: of.agent,
        message: null,
        state: "started",
        note: null,
        reason: null,
        receipts: [],
        asks: [],
        said: [],
        live: null,
        bill: null,
        deliveries: [],
      })
    return of.turn
  }

  private change(key: string, how: (item: TurnItem) => Partial<TurnItem>): void {
    const place = this.places.get(key)
    const item = place === undefined ? undefined : this.list[place]
    if (place === undefined || item?.type !== "turn") return
    this.list[place] = { ...item, ...how(item) }
  }

  private add(item: Item): void {
    this.places.set(item.key, this.list.length)
    this.list.push(item)
  }
}
