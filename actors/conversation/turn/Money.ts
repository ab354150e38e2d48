/** P10 in numbers: what a call may cost at worst, in micro-dollars, and which budgets it is taken from. */
import {
  estimateContentTokens,
  priceAt,
  worstCaseMicros,
  type ExtraPrice,
} from "../../../integrations/anthropic/index.ts"
import type { AgentId, BudgetScope, EventId } from "../../../runtime/index.ts"

export interface Budgets {
  /** Dollars. */
  readonly perRoot: number
  readonly perAgentPerDay: number
  readonly prices: Readonly<Record<string, ExtraPrice>>
}

/** The longest answer asked for in one call, and the shortest that is worth a call. */
export const mostTokens = 8192
export const fewestTokens = 1024

export const scopesOf = (
  budgets: Budgets,
  root: EventId,
  agent: AgentId,
  now: Date,
): ReadonlyArray<BudgetScope> => [
  {
    scope: "agent",
    key: agent,
    period: now.toISOString().slice(0, 10),
    lim: toMicros(budgets.perAgentPerDay),
  },
  { scope: "root", key: root, period: "", lim: toMicros(budgets.perRoot) },
]

/** What to reserve for a prompt of `tokens`; undefined when the model has no price and must not be called. */
export const toReserve = (budgets: Budgets, model: string, tokens: number, now: Date) => {
  const price = priceAt(model, now, budgets.prices)
  return price === undefined
    ? undefined
    : {
        price,
        wanted: worstCaseMicros(price, tokens, mostTokens),
        least: worstCaseMicros(price, tokens, fewestTokens),
      }
}

/** More tokens than it can have; a picture counts by its size on screen, not by its bytes. */
export const tokensOf = estimateContentTokens

export const dollars = (micros: number): string => `$${(micros / 1_000_000).toFixed(micros < 10_000 ? 4 : 2)}`
const toMicros = (amount: number) => Math.round(amount * 1_000_000)
