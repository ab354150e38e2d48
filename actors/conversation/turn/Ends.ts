/** The ends of a turn that are no answer. Each is one plain sentence for the room, with the next step. Pure. */
import type { ModelError, ModelReply } from "../../../integrations/anthropic/index.ts"
import type { End } from "./EndTurn.ts"
import type { Work } from "./Work.ts"

const failed = (text: string, reason: string): End => ({
  state: "failed",
  text,
  reason,
  lines: [],
  cost: 0,
  usage: null,
})

export const modelFailed = (error: ModelError): End =>
  error.retry === "later"
    ? {
        ...failed(
          `I tried for a while and stopped here. ${error.message} Your message is kept; say "continue" to try again.`,
          error.kind,
        ),
        state: "parked",
      }
    : failed(`I can not answer: ${error.message}`, error.kind)

export const declined = (answer: ModelReply, cost: number): End => ({
  ...failed(
    `I can not help with that: the model declined (${answer.stopDetail}). Ask in another way, or for something else.`,
    "refusal",
  ),
  cost,
  usage: answer.usage,
})

export const noPrice = (work: Work): End =>
  failed(
    `I can not answer: the model ${work.frozen.model} has no price here, so its cost can not be limited. Add it under \`prices\` in troupe.yaml, or choose another model.`,
    "no price",
  )

/** Rounds of tools in one turn. */
export const mostRounds = 100

export const tooManyRounds: End = failed(
  `I stopped after ${mostRounds} rounds of tools without an answer. Say "continue" to go on.`,
  "rounds",
)
