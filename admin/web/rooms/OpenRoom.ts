/**
 * The room that is open: its log as it comes, older pages on demand, and what this person says. What changed is shown once a
 * frame. Words that are being sent keep their id, so that sending again says them once.
 */
import type { Event, MessageEvent } from "../../../runtime/index.ts"
import { call } from "../data/Client.ts"
import { line } from "../data/Line.ts"
import { complain, toast } from "../ui/Toasts.tsx"
import { RoomState } from "./RoomState.ts"

export type Action = NonNullable<MessageEvent["actions"]>[number]

/** So many events are asked for first; older ones when somebody looks up. */
export const firstPage = 300

export interface Pending {
  readonly type: "pending"
  readonly key: string
  readonly id: string
  readonly text: string
  readonly replyTo: string | null
  readonly at: string
  readonly failed: boolean
  /** Where the words landed; they stand in the log as soon as it is heard. */
  readonly event: string | null
}

export class OpenRoom {
  readonly state = new RoomState()
  pending: ReadonlyArray<Pending> = []
  /** Everything up to now is shown. */
  ready = false
  loading = false
  /** Rises with each change that should be seen. */
  version = 0
  readonly id: string
  private readonly head: number
  private readonly watchers = new Set<() => void>()
  private readonly announced = new Set<(event: MessageEvent) => void>()
  private frame = 0

  constructor(id: string, head: number) {
    this.id = id
    this.head = head
  }

  /** Earlier events that are not shown yet. */
  get more(): boolean {
    return this.state.first === Number.POSITIVE_INFINITY ? this.head > firstPage : this.state.first > 1
  }

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  /** Words of agents as they are committed, for those who listen to the page rather than look at it. */
  readonly onWords = (heard: (event: MessageEvent) => void): (() => void) => {
    this.announced.add(heard)
    return () => this.announced.delete(heard)
  }

  follow(): () => void {
    return line.follow(this.id, Math.max(0, this.head - firstPage), {
      event: (event) => {
        this.state.apply(event)
        this.settle(event)
        if (this.ready && event.kind === "message") for (const heard of this.announced) heard(event)
        this.changed()
      },
      delta: (delta) => {
        this.state.say(delta)
        this.changed()
      },
      ready: () => {
        this.ready = true
        this.changed()
      },
    })
  }

  async earlier(): Promise<void> {
    if (this.loading || !this.more) return
    this.loading = true
    try {
      const page = await call("GET /api/rooms/:id/events", {
        params: { id: this.id },
        query: { before: String(this.state.first) },
      })
      this.state.prepend(page.events as ReadonlyArray<Event>)
    } catch (error) {
      complain(error)
    }
    this.loading = false
    this.changed()
  }

  say(text: string, replyTo: string | null): void {
    const id = crypto.randomUUID()
    const at = new Date().toISOString()
    this.pending = [
      ...this.pending,
      { type: "pending", key: id, id, text, replyTo, at, failed: false, event: null },
    ]
    this.changed()
    void this.send(id)
  }

  async send(id: string): Promise<void> {
    const words = this.pending.find((p) => p.id === id)
    if (words === undefined) return
    this.change(id, { failed: false })
    try {
      const { event } = await call("POST /api/rooms/:id/say", {
        params: { id: this.id },
        body: {
          id,
          text: words.text,
          ...(words.replyTo === null ? {} : { replyTo: words.replyTo as MessageEvent["id"] }),
        },
      })
      if (event !== null && this.state.has(event)) this.drop(id)
      else this.change(id, { event })
    } catch (error) {
      complain(error)
      this.change(id, { failed: true })
    }
  }

  /** A button was pressed: whoever presses it says so. What came of it is told. */
  async press(action: Action): Promise<void> {
    try {
      const { outcome } = await call("POST /api/rooms/:id/say", {
        params: { id: this.id },
        body: { id: crypto.randomUUID(), text: action.label, order: action.order },
      })
      if (outcome !== null) toast(outcome.charAt(0).toUpperCase() + outcome.slice(1))
    } catch (error) {
      complain(error)
    }
  }

  drop(id: string): void {
    this.pending = this.pending.filter((p) => p.id !== id)
    this.changed()
  }

  private change(id: string, how: Partial<Pending>): void {
    this.pending = this.pending.map((p) => (p.id === id ? { ...p, ...how } : p))
    this.changed()
  }

  /** The words came back through the room. */
  private settle(event: Event): void {
    if (this.pending.some((p) => p.event === event.id))
      this.pending = this.pending.filter((p) => p.event !== event.id)
  }

  private changed(): void {
    if (this.frame !== 0) return
    const show = () => {
      this.frame = 0
      this.state.publish()
      this.version++
      for (const watcher of this.watchers) watcher()
    }
    // A page that nobody sees draws no frames, and is up to date when it is seen again.
    if (document.visibilityState === "visible") this.frame = requestAnimationFrame(show)
    else {
      this.frame = -1
      setTimeout(show, 50)
    }
  }
}
