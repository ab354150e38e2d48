/**
 * What can go wrong between a client and Telegram, ordered by a test for the next calls of a method (`*` is any).
 * `refuse`: the connection dies before the call is carried out. `drop`: it is carried out, the answer is lost.
 */
export type Fault =
  | { readonly kind: "refuse" }
  | { readonly kind: "drop" }
  | {
      readonly kind: "error"
      readonly code: number
      readonly description: string
      readonly retryAfter?: number
    }
  /** Carried out and answered only when the promise settles. */
  | { readonly kind: "hold"; readonly until: Promise<void> }

export class Faults {
  private readonly queues = new Map<string, Array<Fault>>()

  add(method: string, fault: Fault, times: number): void {
    const queue = this.queues.get(method) ?? []
    for (let i = 0; i < times; i++) queue.push(fault)
    this.queues.set(method, queue)
  }

  take(method: string): Fault | undefined {
    if (this.queues.size === 0) return undefined
    const key = this.queues.has(method) ? method : "*"
    const queue = this.queues.get(key)
    const fault = queue?.shift()
    if (queue?.length === 0) this.queues.delete(key)
    return fault
  }
}
