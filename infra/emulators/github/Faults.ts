/**
 * What can go wrong between a client and GitHub, ordered by a test for the next calls of a route, written as in the
 * documentation (`POST /repos/{owner}/{repo}/issues/{issue_number}/comments`, `git receive-pack`) or `*` for any.
 * `refuse`: the connection dies before the call is carried out. `drop`: it is carried out, the answer is lost.
 */
export type Fault =
  | { readonly kind: "refuse" }
  | { readonly kind: "drop" }
  | {
      readonly kind: "error"
      readonly status: number
      readonly message: string
      readonly headers?: Readonly<Record<string, string>>
    }
  /** Carried out and answered only when the promise settles. */
  | { readonly kind: "hold"; readonly until: Promise<void> }

export class Faults {
  private readonly queues = new Map<string, Array<Fault>>()

  add(route: string, fault: Fault, times: number): void {
    const queue = this.queues.get(route) ?? []
    for (let i = 0; i < times; i++) queue.push(fault)
    this.queues.set(route, queue)
  }

  take(route: string): Fault | undefined {
    const key = this.queues.has(route) ? route : "*"
    const queue = this.queues.get(key)
    const fault = queue?.shift()
    if (queue?.length === 0) this.queues.delete(key)
    return fault
  }
}
