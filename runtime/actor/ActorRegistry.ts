/** What all actors of one system share: names, the root of the tree, nact's root, time, counters. Private to this folder. */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type { ActorInfo } from "./ActorInfo.ts"
import { DeadLetters } from "./DeadLetters.ts"
import { Deadlines } from "./Deadlines.ts"
import type { Child, Parent } from "./Parent.ts"
import type { Spawner } from "./Spawn.ts"
import type { TickerRoot } from "./Ticker.ts"
import type { Timer } from "./Timer.ts"

/** An actor as the system sees it. */
export interface Entry extends Child {
  readonly stopping: boolean
  info(): ActorInfo
}

export class ActorRegistry implements Parent {
  readonly path = ""
  closed = false
  /** By path. A name is free again only when everything its actor owned is released. */
  readonly entries = new Map<string, Entry>()
  readonly roots = new Set<Child>()
  readonly deadLetters = new DeadLetters()
  readonly deadlines: Deadlines
  handled = 0
  crashes = 0
  restarts = 0
  readonly spawn: Spawner
  readonly ticker: TickerRoot
  readonly timer: Timer
  /** For the fibers that stop actors: they outlive whoever asked for it. */
  readonly context: Context.Context<never>

  constructor(
    ticker: TickerRoot,
    timer: Timer,
    context: Context.Context<never>,
    spawner: (registry: ActorRegistry) => Spawner,
  ) {
    this.ticker = ticker
    this.timer = timer
    this.deadlines = new Deadlines(timer)
    this.context = context
    this.spawn = spawner(this)
  }

  adopt(child: Child): void {
    this.roots.add(child)
  }

  gone(child: Child): void {
    this.roots.delete(child)
  }

  /** Nobody is above the root: the escalating actor has stopped, and its crash is logged already. */
  fault(_cause: Cause.Cause<unknown>): void {}
}
