/**
 * One bot's updates: kept until they are confirmed, by the offset of `getUpdates` or by a 2xx of the webhook.
 * A second poller ends the first with 409, as on the real server. The webhook is called with one update at a time
 * per chat, beside each other between chats, and again after a failure, so a chat can be blocked by one bad answer.
 */
import { request } from "node:http"
import type { Agent } from "node:http"
import { ApiError } from "./ApiError.ts"
import type { Json } from "./Wire.ts"

export interface Update extends Json {
  readonly update_id: number
}

export interface Webhook {
  readonly url: string
  readonly secret: string | null
}

interface Waiter {
  readonly limit: number
  readonly timer: NodeJS.Timeout
  readonly done: (answer: ReadonlyArray<Update> | ApiError) => void
}

const defaultUpdates = (kind: string) =>
  kind !== "chat_member" && kind !== "message_reaction" && kind !== "message_reaction_count"

export class UpdateQueue {
  webhook: Webhook | null = null
  nextId = 100_000_000
  /** Of the last call of the webhook that failed. */
  lastError: { readonly at: number; readonly message: string } | null = null
  /** Every delivery of the webhook: what was answered. */
  readonly webhookAnswers: Array<number> = []
  /** Called each time a poller is left waiting because there is nothing. */
  readonly onParked = new Set<() => void>()
  private pending: Array<Update> = []
  private allowed: ReadonlySet<string> | null = null
  private waiter: Waiter | null = null
  private woken = false
  private readonly lanes = new Map<number, Array<Update>>()
  private readonly agent: Agent
  private readonly retryMs: number
  private closed = false

  constructor(agent: Agent, retryMs: number) {
    this.agent = agent
    this.retryMs = retryMs
  }

  /** Updates that are not confirmed. */
  get waiting(): number {
    return this.pending.length
  }

  get parked(): boolean {
    return this.waiter !== null
  }

  allow(kinds: unknown): void {
    if (Array.isArray(kinds))
      this.allowed = kinds.length === 0 ? null : new Set(kinds as ReadonlyArray<string>)
  }

  push(kind: string, payload: unknown, chat: number): number | null {
    if (this.allowed === null ? !defaultUpdates(kind) : !this.allowed.has(kind)) return null
    const update: Update = { update_id: this.nextId++, [kind]: payload }
    this.pending.push(update)
    if (this.webhook !== null) this.enqueue(chat, update)
    else this.wake()
    return update.update_id
  }

  /** Long polling. `done` is called once, at once when something waits. */
  poll(offset: number | null, limit: number, timeoutSeconds: number, done: Waiter["done"]): void {
    if (this.webhook !== null)
      return done(
        new ApiError(
          409,
          "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        ),
      )
    this.settle(
      new ApiError(
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
      ),
    )
    if (offset !== null && offset > 0) {
      const kept = this.pending.findIndex((update) => update.update_id >= offset)
      this.pending = kept === -1 ? [] : this.pending.slice(kept)
    } else if (offset !== null && offset < 0) this.pending = this.pending.slice(offset)
    if (this.pending.length > 0 || timeoutSeconds === 0) return done(this.pending.slice(0, limit))
    const timer = setTimeout(() => this.settle([]), timeoutSeconds * 1000)
    this.waiter = { limit, timer, done }
    for (const told of this.onParked) told()
  }

  /** The poller hung up. */
  forget(done: Waiter["done"]): void {
    if (this.waiter?.done !== done) return
    clearTimeout(this.waiter.timer)
    this.waiter = null
  }

  setWebhook(webhook: Webhook | null, dropPending: boolean): void {
    if (dropPending) this.pending = []
    this.webhook = webhook
    this.lanes.clear()
    if (webhook !== null) for (const update of this.pending) this.enqueue(chatOf(update), update)
  }

  close(): void {
    this.closed = true
    this.settle([])
  }

  /** What is said in one go arrives in one batch. */
  private wake(): void {
    if (this.waiter === null || this.woken) return
    this.woken = true
    setImmediate(() => {
      this.woken = false
      this.settle(null)
    })
  }

  private settle(answer: ReadonlyArray<Update> | ApiError | null): void {
    const waiter = this.waiter
    if (waiter === null) return
    this.waiter = null
    clearTimeout(waiter.timer)
    waiter.done(answer ?? this.pending.slice(0, waiter.limit))
  }

  private enqueue(chat: number, update: Update): void {
    const lane = this.lanes.get(chat)
    if (lane !== undefined) return void lane.push(update)
    this.lanes.set(chat, [update])
    this.deliver(chat, this.retryMs)
  }

  private deliver(chat: number, retryMs: number): void {
    const update = this.lanes.get(chat)?.[0]
    const webhook = this.webhook
    if (update === undefined || webhook === null || this.closed) return
    this.call(webhook, update, (status) => {
      this.webhookAnswers.push(status)
      if (this.webhook !== webhook || this.closed) return
      if (status < 200 || status >= 300) {
        const message = status === 0 ? "Connection refused" : `Wrong response from the webhook: ${status}`
        this.lastError = { at: Math.floor(Date.now() / 1000), message }
        setTimeout(() => this.deliver(chat, Math.min(retryMs * 2, 5_000)), retryMs).unref()
        return
      }
      this.pending = this.pending.filter((other) => other !== update)
      const lane = this.lanes.get(chat)
      lane?.shift()
      if (lane?.length === 0) this.lanes.delete(chat)
      else this.deliver(chat, this.retryMs)
    })
  }

  private call(webhook: Webhook, update: Update, done: (status: number) => void): void {
    const body = JSON.stringify(update)
    const outgoing = request(webhook.url, {
      method: "POST",
      agent: this.agent,
      headers: {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        ...(webhook.secret === null ? {} : { "x-telegram-bot-api-secret-token": webhook.secret }),
      },
    })
    outgoing.on("response", (response) => {
      response.resume()
      response.on("end", () => done(response.statusCode ?? 0))
    })
    outgoing.on("error", () => done(0))
    outgoing.end(body)
  }
}

function chatOf(update: Update): number {
  for (const value of Object.values(update))
    if (typeof value === "object" && value !== null && "chat" in value)
      return (value as { chat: { id: number } }).chat.id
  return 0
}
