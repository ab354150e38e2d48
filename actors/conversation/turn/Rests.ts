/** Why a turn rests, and what it says then: one plain sentence with the next step. Pure. */
import type { Line } from "../ConversationStore.ts"
import type { Tool } from "../tools/Tool.ts"
import { dollars, type Budgets } from "./Money.ts"
import type { Rest } from "./RestTurn.ts"
import { summaryOf } from "./RunTools.ts"
import type { Spent } from "./Steps.ts"
import type { ToolCall, Work } from "./Work.ts"

const nothing = { actions: [], spent: null, lines: [], pending: [], asked: [] } as const

export const toldToWait = ({ turn }: Work, pending: ReadonlyArray<ToolCall>): Rest => ({
  ...nothing,
  reason: "wait",
  text: 'I wait. Say "continue" and I go on.',
  actions: [
    { label: "Continue", order: { verb: "continue", turn } },
    { label: "Stop", order: { verb: "stop", turn } },
  ],
  pending,
})

export const noMoney = (work: Work, budgets: Budgets): Rest => ({
  ...nothing,
  reason: "money",
  text:
    `I stopped here: the budget is used up (${dollars(work.cost)} spent by this turn; the limits are $${budgets.perRoot.toFixed(2)} a message, ` +
    `$${budgets.perAgentPerDay.toFixed(2)} a day for each agent and $${budgets.perMonth.toFixed(2)} a month). Spend $1.00 more? Say "continue", or "stop".`,
  actions: [
    { label: "Spend $1.00 more", order: { verb: "spend", turn: work.turn, dollars: 1 } },
    { label: "Stop", order: { verb: "stop", turn: work.turn } },
  ],
})

/** The call that was saved, with those of its tools that a person has to allow. */
export const forPermission = (
  work: Work,
  spent: Spent,
  lines: ReadonlyArray<Line>,
  calls: ReadonlyArray<ToolCall>,
  asked: ReadonlyArray<ToolCall>,
  tools: ReadonlyMap<string, Tool>,
): Rest => {
  const one = asked.length === 1 ? { n: asked[0]!.n } : {}
  const listed = asked.map((c) => `- ${c.name}: \`${shown(summaryOf(c, tools))}\``).join("\n")
  return {
    ...nothing,
    reason: "approval",
    text: `May I do this?\n\n${listed}\n\nSay "approve" or "refuse"; after 24 hours it counts as refused.`,
    actions: [
      { label: "Approve", order: { verb: "approve", turn: work.turn, ...one } },
      { label: "Refuse", order: { verb: "refuse", turn: work.turn, ...one } },
    ],
    spent,
    lines,
    pending: calls,
    asked,
  }
}

const shown = (summary: string) => summary.slice(0, 500).replaceAll("`", "'")
