/**
 * The one connection of this page: what changes anywhere, and every event of the room that is open.
 * Contract: a stored event of the room arrives once and in order, over any number of reconnects. While the page is hidden
 * for long, the line rests, so that many open pages do not use up the browser's connections.
 */
import type { Event } from "../../../runtime/index.ts"
import type { Delta } from "../../api/index.ts"
import { ApiError, call } from "./Client.ts"

export type LineState = "open" | "connecting" | "closed"

export interface Changed {
  readonly rooms: ReadonlyArray<{ readonly room: string; readonly kinds: ReadonlyArray<string> }>
}

export interface RoomListener {
  readonly event: (event: Event) => void
  readonly delta: (delta: Delta) => void
  /** Everything up to now has been told. */
  readonly ready: () => void
}

const silentMs = 40_000
const hiddenMs = 60_000
const waits = [300, 1000, 2000, 5000, 10_000]

class Line {
  state: LineState = "connecting"
  private readonly watchers = new Set<() => void>()
  private readonly changes = new Set<(changed: Changed) => void>()
  private room: { readonly id: string; cursor: number; readonly listener: RoomListener } | undefined
  private source: EventSource | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private resting: ReturnType<typeof setTimeout> | undefined
  private failures = 0
  private started = false

  /** For `useSyncExternalStore`. */
  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  readonly onChange = (listener: (changed: Changed) => void): (() => void) => {
    this.changes.add(listener)
    return () => this.changes.delete(listener)
  }

  /** Opens the line, after signing in. */
  start() {
    if (this.started) return
    this.started = true
    document.addEventListener("visibilitychange", this.seen)
    window.addEventListener("online", this.awake)
    this.open()
  }

  /** Follows one room from a position, in place of the one before. Returns the way to leave it. */
  follow(id: string, after: number, listener: RoomListener): () => void {
    const room = { id, cursor: after, listener }
    this.room = room
    if (this.started) this.open()
    return () => {
      if (this.room !== room) return
      this.room = undefined
      this.open()
    }
  }

  private set(state: LineState) {
    if (this.state === state) return
    this.state = state
    for (const watcher of this.watchers) watcher()
  }

  private readonly open = () => {
    clearTimeout(this.timer)
    this.source?.close()
    const { room } = this
    const query = room === undefined ? "" : `?room=${room.id}&after=${room.cursor}`
    const source = new EventSource(`/api/live${query}`)
    this.source = source
    const on = (name: string, heard: (data: string) => void) =>
      source.addEventListener(name, (message: MessageEvent<string>) => {
        if (this.source !== source) return
        this.alive()
        heard(message.data)
      })
    on("event", (data) => {
      const event = JSON.parse(data) as Event
      if (room === undefined || event.pos <= room.cursor) return
      room.cursor = event.pos
      room.listener.event(event)
    })
    on("delta", (data) => room?.listener.delta(JSON.parse(data) as Delta))
    on("changed", (data) => {
      const changed = JSON.parse(data) as Changed
      for (const listener of this.changes) listener(changed)
    })
    on("ready", () => {
      this.failures = 0
      this.set("open")
      room?.listener.ready()
    })
    on("beat", () => {})
    source.addEventListener("error", () => this.source === source && this.broken())
    this.alive()
  }

  private alive() {
    clearTimeout(this.timer)
    this.timer = setTimeout(this.broken, silentMs)
  }

  private readonly broken = () => {
    this.source?.close()
    this.set("connecting")
    clearTimeout(this.timer)
    this.timer = setTimeout(this.retry, waits[Math.min(this.failures++, waits.length - 1)])
  }

  // A closed session looks like a broken line to EventSource; asking tells them apart.
  private readonly retry = () =>
    void call("GET /api/status").then(this.open, (error: unknown) => {
      if (error instanceof ApiError && error.status === 401) this.set("closed")
      else this.broken()
    })

  private readonly awake = () => {
    if (document.visibilityState === "visible" && this.source?.readyState === EventSource.CLOSED) this.retry()
  }

  private readonly seen = () => {
    clearTimeout(this.resting)
    if (document.visibilityState === "visible") this.awake()
    else
      this.resting = setTimeout(() => {
        clearTimeout(this.timer)
        this.source?.close()
      }, hiddenMs)
  }
}

export const line = new Line()
