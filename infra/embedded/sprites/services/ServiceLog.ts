/** What a service has said and what became of it, the newest megabyte, and those who follow it. */
import { StringDecoder } from "node:string_decoder"

export interface ServiceEvent {
  readonly type: "started" | "stdout" | "stderr" | "exit" | "error" | "stopping" | "stopped"
  readonly timestamp: number
  readonly data?: string
  readonly exit_code?: number
}

export class ServiceLog {
  readonly #most: number
  readonly #events: Array<ServiceEvent> = []
  readonly #followers = new Set<(event: ServiceEvent) => void>()
  readonly #decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") }
  #size = 0

  constructor(most: number) {
    this.#most = most
  }

  output(from: "stdout" | "stderr", bytes: Buffer): void {
    const data = this.#decoders[from].write(bytes)
    if (data !== "") this.add({ type: from, data })
  }

  add(event: Omit<ServiceEvent, "timestamp">): void {
    const told = { ...event, timestamp: Date.now() }
    this.#events.push(told)
    this.#size += sizeOf(told)
    while (this.#size > this.#most) this.#size -= sizeOf(this.#events.shift() ?? told)
    for (const follower of this.#followers) follower(told)
  }

  /** All that is kept, or what holds its last lines of output. */
  tail(lines: number | undefined): ReadonlyArray<ServiceEvent> {
    if (lines === undefined) return [...this.#events]
    let left = lines
    const taken: Array<ServiceEvent> = []
    for (const event of this.#events.toReversed()) {
      const { data } = event
      if (data === undefined) {
        taken.push(event)
        continue
      }
      const all = data.split(/(?<=\n)/)
      taken.push({ ...event, data: all.slice(-Math.max(left, 1)).join("") })
      left -= all.length
      if (left <= 0) break
    }
    return taken.toReversed()
  }

  follow(follower: (event: ServiceEvent) => void): () => void {
    this.#followers.add(follower)
    return () => this.#followers.delete(follower)
  }
}

const sizeOf = (event: ServiceEvent): number => (event.data?.length ?? 0) + 64
