/**
 * The bridge to nact: the only module that imports it. nact gives an actor its event-loop turns, and keeps it
 * suspended while a crash is supervised. Mail, state, hierarchy and stopping are ours: nact's actors stay flat under one root,
 * because its cost grows with the number of children, and its stop neither cascades nor waits.
 *
 * - A tick runs `run`; while it is pending or running, further wakes do nothing, so one tick drains many messages.
 * - `run` may return a promise, which must settle; what it throws or rejects with goes to `onCrash`.
 * - `onCrash` never rejects. The next tick comes only after it.
 */
import { dispatch, Nobody, spawn, start, stop, type ActorSystemRef, type Ref } from "nact"

export interface TickerRoot {
  readonly ticker: (
    name: string,
    run: () => void | Promise<void>,
    onCrash: (error: unknown) => Promise<void>,
  ) => Ticker
  readonly stop: () => void
}

export interface Ticker {
  readonly wake: () => void
  readonly stop: () => void
}

export const makeRoot = (): TickerRoot => {
  const root = start()
  return { ticker: (name, run, onCrash) => new NactTicker(root, name, run, onCrash), stop: () => stop(root) }
}

const tick = 0

/** nact makes a sender of three objects for each message unless it is given one; its types leave the parameter out. */
const nobody = new Nobody()
const send: (ref: Ref<typeof tick>, message: typeof tick, sender: Nobody) => void = dispatch

class NactTicker implements Ticker {
  readonly #ref: Ref<typeof tick>
  constructor(
    root: ActorSystemRef,
    name: string,
    run: () => void | Promise<void>,
    onCrash: (error: unknown) => Promise<void>,
  ) {
    this.#ref = spawn(
      root,
      (_state: undefined, _tick: typeof tick) => run() as undefined,
      name.replaceAll("/", "!"),
      {
        onCrash: (_tick, error, ctx) => onCrash(error).then(() => ctx.resume),
      },
    )
  }
  wake(): void {
    send(this.#ref, tick, nobody)
  }
  stop(): void {
    stop(this.#ref)
  }
}
