/** What an agent may do without asking: the tools it is given, and the calls of them that a person has to allow. Pure. */
import { createHash } from "node:crypto"
import type { Agent } from "../../../runtime/index.ts"
import type { Tool } from "../tools/Tool.ts"
import type { ToolCall } from "./Work.ts"

type Tools = ReadonlyMap<string, Tool>

/** The tools of the process without those the agent is denied: what it does not know of it can not call. */
export const toolsFor = (agent: Agent, tools: Tools): Tools => {
  const known = made.get(agent)
  if (known?.from === tools) return known.left
  const left = new Map([...tools].filter(([name]) => agent.permissions[name] !== "deny"))
  made.set(agent, { from: tools, left })
  return left
}
/** Agents are the roster's objects: a changed one is another object. */
const made = new WeakMap<Agent, { readonly from: Tools; readonly left: Tools }>()

/** A person has to allow this call. */
export const mustAsk = (agent: Agent, tools: Tools, call: ToolCall): boolean =>
  tools.has(call.name) && agent.permissions[call.name] === "ask"

/** The exact input, as it is journalled and asked for. */
export const inputOf = (call: ToolCall): string => JSON.stringify(call.input)

/** SHA-256, in hex. */
export const hashOf = (input: string): string => createHash("sha256").update(input).digest("hex")
