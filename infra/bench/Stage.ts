/** What every section plays on: emulators and the bare bot in processes of their own, and the ways to measure. */
import type { BareBot } from "./BareBot.ts"
import type { Brain } from "./Brain.ts"
import { child, type Child } from "./Child.ts"
import type { BotName, Crowd } from "./Crowd.ts"
import { Installation, type InstallationOptions } from "./Installation.ts"
import { cpuMs } from "./Tree.ts"

export interface Stage {
  readonly crowd: Child<Crowd>["call"]
  readonly brain: Child<Brain>["call"]
  readonly install: (options?: Partial<InstallationOptions>) => Installation
  readonly bare: () => Promise<Child<BareBot>>
  readonly end: () => void
}

export const stage = async (): Promise<Stage> => {
  const crowd = await child<Crowd>("Crowd.ts")
  const brain = await child<Brain>("Brain.ts")
  const telegram = await crowd.call.url()
  const anthropic = await brain.call.url()
  const ended: Array<() => void> = [crowd.stop, brain.stop]
  return {
    crowd: crowd.call,
    brain: brain.call,
    install: (options = {}) => {
      const made = new Installation({ telegram, anthropic, token: "2000:troupe", ...options })
      ended.push(() => made.remove())
      return made
    },
    bare: async () => {
      const made = await child<BareBot>("BareBot.ts", {
        BOT_TOKEN: "1000:bare",
        API_ROOT: telegram,
        ANTHROPIC_BASE_URL: anthropic,
      })
      ended.push(made.stop)
      return made
    },
    end: () => ended.forEach((one) => one()),
  }
}

/** A bot that can be measured: its name at Telegram, and the process whose tree is counted. */
export interface Contender {
  readonly bot: BotName
  readonly pid: () => number
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** CPU milliseconds that the tree of `of` uses for `work`, and for what it does behind it. */
export const cpuOf = async <A>(of: Contender, work: () => Promise<A>): Promise<{ value: A; cpu: number }> => {
  const before = cpuMs(of.pid())
  const value = await work()
  await pause(150)
  return { value, cpu: cpuMs(of.pid()) - before }
}

/** The same measurement on both sides in turn, so that a noisy neighbour meets both. */
export const inTurn = async <A>(
  rounds: number,
  sides: { readonly bare: Contender; readonly troupe: Contender },
  measure: (side: Contender, round: number) => Promise<A>,
): Promise<{ readonly bare: ReadonlyArray<A>; readonly troupe: ReadonlyArray<A> }> => {
  const bare: Array<A> = []
  const troupe: Array<A> = []
  for (let round = 0; round < rounds; round++) {
    bare.push(await measure(sides.bare, round))
    troupe.push(await measure(sides.troupe, round))
  }
  return { bare, troupe }
}
