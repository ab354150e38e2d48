/** P10 in numbers: what a call may cost at worst, in micro-dollars, and which budgets it is taken from. */
import {
  estimateContentTokens,
  priceAt,
  worstCaseMicros,
  type ExtraPrice,
} from "../../../integrations/anthropic/index.ts"
import type { AgentId, BudgetScope, EventId, ThreadId, WorkspaceId } from "../../../runtime/index.ts"

export interface Budgets {
  /** Dollars. */
  readonly perRoot: number
  readonly perAgentPerDay: number
  /** Absent: no limit of its own. */
  readonly perThreadPerDay?: number
  readonly perMonth: number
  readonly prices: Readonly<Record<string, ExtraPrice>>
}

/** The longest answer asked for in one call, and the shortest that is worth a call. */
export const mostTokens = 8192
export const fewestTokens = 1024

export const scopesOf = (
  budgets: Budgets,
  of: {
    readonly root: EventId
    readonly agent: AgentId
    readonly thread: ThreadId
    readonly ws: WorkspaceId
  },
  now: Date,
): ReadonlyArray<BudgetScope> => {
  const day = now.toISOString().slice(0, 10)
  const { perThreadPerDay } = budgets
  return [
    { scope: "agent", key: of.agent, period: day, lim: toMicros(budgets.perAgentPerDay) },
    { scope: "root", key: of.root, period: "", lim: toMicros(budgets.perRoot) },
    ...(perThreadPerDay === undefined
      ? []
      : [{ scope: "thread", key: of.thread, period: day, lim: toMicros(perThreadPerDay) } as const]),
    { scope: "workspace", key: of.ws, period: day.slice(0, 7), lim: toMicros(budgets.perMonth) },
  ]
}

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
