/** What the process gives to every turn. */
import * as Context from "effect/Context"
import type { Agent } from "../../../runtime/index.ts"
import type { Tool } from "../tools/Tool.ts"
import type { Budgets } from "./Money.ts"

export class Workplace extends Context.Service<
  Workplace,
  {
    readonly tools: ReadonlyMap<string, Tool>
    readonly budgets: Budgets
    /** The model an agent works with. */
    readonly modelOf: (agent: Agent) => string
    /** The cheapest model there is: it finds whom to ask. */
    readonly triageModel: string
  }
>()("troupe/conversation/Workplace") {}
