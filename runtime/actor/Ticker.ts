/**
 * The bridge to nact: the only module that imports it. nact gives an actor its event-loop turns, and keeps it
 * suspended while a crash is supervised. Mail, state, hierarchy and stopping are ours: nact's actors stay flat under one root,
 * because its cost grows with the number of children, and its stop neither cascades nor waits.
 *
 * - A wake asks for one tick; an actor does not wake again while one is pending or running.
 * - `tick` may return a promise, which must settle; what it throws or rejects with goes to `crashed`.
 * - `crashed` never rejects. The next tick comes only after it.
 */
import { dispatch, Nobody, spawn, start, stop, type ActorProps, type ActorSystemRef, type Ref } from "nact"

/** Who is woken. Travels as the message, so that all actors share the functions that nact calls. */
export interface Ticked {
  tick(): void | Promise<void>
  crashed(error: unknown): Promise<void>
}

export class TickerRoot {
  readonly #system: ActorSystemRef = start()

  ticker(name: string, ticked: Ticked): Ticker {
    const ref = spawn(this.#system, run, name.replaceAll("/", "!"), properties)
    return new Ticker(ref, ticked)
  }

  stop(): void {
    stop(this.#system)
  }
}

export class Ticker {
  readonly #ref: Ref<Ticked>
  readonly #ticked: Ticked

  constructor(ref: Ref<Ticked>, ticked: Ticked) {
    this.#ref = ref
    this.#ticked = ticked
  }

  wake(): void {
    send(this.#ref, this.#ticked, nobody)
  }

  stop(): void {
    stop(this.#ref)
  }
}

const run = (_state: undefined, ticked: Ticked): undefined => ticked.tick() as undefined

const properties: ActorProps<undefined, Ticked, ActorSystemRef> = {
  onCrash: (ticked, error, ctx) => ticked!.crashed(error).then(() => ctx.resume),
}

/** nact makes a sender of three objects for each message unless it is given one; its types leave the parameter out. */
const nobody = new Nobody()
const send: (ref: Ref<Ticked>, message: Ticked, sender: Nobody) => void = dispatch
