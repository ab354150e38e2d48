import type { AgentId, EventId, Said, TurnId } from "../../../runtime/index.ts"

/** A change of state of a turn that carries no receipt yet. */
export const turnEvent = (
  turn: TurnId,
  agent: AgentId,
  message: EventId,
  state: "started" | "joined",
): Said => ({
  body: {
    kind: "turn",
    turn,
    agent,
    message,
    state,
    reason: null,
    usage: null,
    cost: null,
    ms: null,
    tools: null,
  },
})
