/** What owns actors: an incarnation of an actor, or the system at the root. */
import type * as Cause from "effect/Cause"
import type { Ref } from "./Ref.ts"

/** A child as its parent sees it. */
export interface Child {
  readonly self: Ref<never>
  stop(): void
}

export interface Parent {
  /** Empty at the root. */
  readonly path: string
  /** True once nothing may be started under it. */
  readonly closed: boolean
  adopt(child: Child): void
  /** The child has stopped and released everything. */
  gone(child: Child): void
  /** A child escalated its crash. */
  fault(cause: Cause.Cause<unknown>): void
}
