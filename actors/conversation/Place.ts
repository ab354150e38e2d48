import type { AgentId, ThreadId } from "../../runtime/index.ts"

/** Where a conversation is: one agent in one thread, under the agent's lease. */
export interface Place {
  readonly agent: AgentId
  readonly thread: ThreadId
  /** The fence of the agent's lease. */
  readonly fence: number
}
