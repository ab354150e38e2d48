/**
 * One command and those who watch it. It lives until the command ends, whoever is attached; when the last one leaves,
 * a timer of `detachedMillis` starts, and its end ends the command (TERM, then KILL).
 *
 * A command waits (its pipe fills) while a client has too much unread output, and while it writes faster than
 * `outputBytesPerSecond`; unwatched output is slower still, because nobody waits for it.
 */
import type { Attachment } from "./Attachment.ts"
import type { Limits } from "./Limits.ts"
import type { Listener, Running } from "./Process.ts"
import { Scrollback } from "./Scrollback.ts"
import type { ClientMessage, ExecRequest, OutputStream, SessionDescription } from "./Wire.ts"
import { stream } from "./Wire.ts"

const unreadHigh = 1024 * 1024
const unreadLow = 256 * 1024
/** Output may run ahead of its rate by this much time. */
const burstMillis = 100
const unwatchedShare = 1 / 16
const graceMillis = 10_000

export class Session {
  readonly id: string
  readonly request: ExecRequest
  /** The service whose command this is. */
  readonly service: string | undefined
  readonly created = Date.now()
  /** What it has used so far, as far as looked at. */
  cpuMillis = 0
  readonly #limits: Limits
  readonly #running: Running
  readonly #attachments = new Set<Attachment>()
  readonly #scrollback: Scrollback<OutputStream>
  readonly #whenEnded: Array<(code: number) => void> = []
  #size: { readonly rows: number; readonly cols: number }
  #state: { readonly _tag: "Running" } | { readonly _tag: "Ended"; readonly code: number } = {
    _tag: "Running",
  }
  #lastActivity = Date.now()
  #paidUntil = 0
  #hold = { pace: false, unread: false }
  #timers = new Set<NodeJS.Timeout>()
  #leave: NodeJS.Timeout | undefined

  constructor(
    id: string,
    request: ExecRequest,
    limits: Limits,
    service: string | undefined,
    start: (listener: Listener) => Running,
  ) {
    this.id = id
    this.service = service
    this.request = request
    this.#limits = limits
    this.#size = request.terminal ?? { rows: 0, cols: 0 }
    this.#scrollback = new Scrollback(limits.scrollbackBytes)
    this.#running = start({
      output: (from, bytes) => this.#output(from, bytes),
      ended: (code) => this.#ended(code),
    })
  }

  description(): SessionDescription {
    return {
      id: this.id,
      command: this.request.argv.join(" "),
      createdMillis: this.created,
      tty: this.request.terminal !== undefined,
      ...this.#size,
    }
  }

  /** One entry of the list of sessions. */
  listed(): unknown {
    return {
      id: this.id,
      command: this.request.argv.join(" "),
      workdir: this.request.directory,
      created: new Date(this.created).toISOString(),
      bytes_per_second: 0,
      is_active: this.#attachments.size > 0,
      last_activity: new Date(this.#lastActivity).toISOString(),
      tty: this.request.terminal !== undefined,
    }
  }

  get attached(): boolean {
    return this.#watched
  }

  get lastActivity(): number {
    return this.#lastActivity
  }

  get pid(): number | undefined {
    return this.#running.pid
  }

  get namespacePid(): number | undefined {
    return this.#running.namespacePid()
  }

  attach(attachment: Attachment): void {
    clearTimeout(this.#leave)
    for (const chunk of this.#scrollback.chunks) attachment.output(chunk.stream, chunk.bytes)
    if (this.#state._tag === "Ended") attachment.ended(this.#state.code)
    else this.#attachments.add(attachment)
  }

  detach(attachment: Attachment): void {
    if (!this.#attachments.delete(attachment) || this.#state._tag === "Ended") return
    this.flushed()
    if (this.#attachments.size > 0 || this.request.detachedMillis === 0) return
    this.#leave = setTimeout(() => this.end(graceMillis), this.request.detachedMillis)
  }

  write(bytes: Uint8Array): void {
    this.#lastActivity = Date.now()
    if (this.request.stdin) this.#running.write(bytes)
  }

  endInput(): void {
    this.#running.endInput()
  }

  pendingInput(): number {
    return this.#running.pendingInput()
  }

  control(message: ClientMessage): void {
    if (message._tag === "Signal") this.signal(message.signal)
    if (message._tag === "Resize" && this.request.terminal !== undefined) {
      this.#size = { rows: message.rows, cols: message.cols }
      this.#running.resize(message.rows, message.cols)
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#running.signal(signal)
  }

  /** TERM, and KILL to what is left after `patience`. */
  end(patience: number): void {
    this.signal("SIGTERM")
    this.#after(patience, () => this.signal("SIGKILL"))
  }

  /** Ends it at once and says why where its errors go. */
  killFor(reason: string): void {
    this.#output(stream.stderr, Buffer.from(`${reason}\n`))
    this.signal("SIGKILL")
  }

  /** Calls back at the end, at once if that was before. */
  onEnd(callback: (code: number) => void): void {
    if (this.#state._tag === "Ended") callback(this.#state.code)
    else this.#whenEnded.push(callback)
  }

  dropAttachments(): void {
    for (const attachment of this.#attachments) attachment.drop()
  }

  /** Called when a client took output. */
  readonly flushed = (): void => {
    if (this.#hold.unread && this.#unread() < unreadLow) {
      this.#hold.unread = false
      this.#goOn()
    }
  }

  #output(from: OutputStream, bytes: Buffer): void {
    const now = Date.now()
    this.#lastActivity = now
    this.#scrollback.push(from, bytes)
    for (const attachment of this.#attachments) attachment.output(from, bytes)
    if (this.#unread() > unreadHigh && !this.#hold.unread) {
      this.#hold.unread = true
      this.#running.pause()
    }
    const rate = this.#limits.outputBytesPerSecond * (this.#watched ? 1 : unwatchedShare)
    this.#paidUntil = Math.max(now, this.#paidUntil) + (bytes.length / rate) * 1000
    if (this.#paidUntil - now > burstMillis && !this.#hold.pace) {
      this.#hold.pace = true
      this.#running.pause()
      this.#after(this.#paidUntil - now, () => {
        this.#hold.pace = false
        this.#goOn()
      })
    }
  }

  /** A service's log is not somebody who waits. */
  get #watched(): boolean {
    return this.#attachments.size > 0 && this.service === undefined
  }

  #unread(): number {
    let most = 0
    for (const attachment of this.#attachments) most = Math.max(most, attachment.pending())
    return most
  }

  #goOn(): void {
    if (!this.#hold.pace && !this.#hold.unread) this.#running.resume()
  }

  #ended(code: number): void {
    this.#state = { _tag: "Ended", code }
    clearTimeout(this.#leave)
    for (const timer of this.#timers) clearTimeout(timer)
    for (const attachment of this.#attachments) attachment.ended(code)
    this.#attachments.clear()
    for (const callback of this.#whenEnded.splice(0)) callback(code)
  }

  #after(millis: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      action()
    }, millis)
    this.#timers.add(timer)
  }
}
