/** A room's log as lines for people: words, decisions, tools with receipts, turns with what they cost. */
import type { Event } from "../../runtime/index.ts"
import { bold, dim, harmless, red } from "./Paint.ts"

/** Handles by agent id. */
export type Names = ReadonlyMap<string, string>

export const margin = "      "

export const eventLines = (logged: Event, names: Names): ReadonlyArray<string> => {
  const event = JSON.parse(JSON.stringify(logged), cleaned) as Event
  const handle = (agent: string) => `@${names.get(agent) ?? agent}`
  const beside = (text: string) => [`${dim(String(event.pos).padStart(4))}    ${text}`]
  switch (event.kind) {
    case "message": {
      const [first = "", ...rest] = event.text.split("\n")
      const edited = event.edits === null ? "" : dim(" (edited)")
      return [
        `${dim(String(event.pos).padStart(4))}  ${bold(event.author.name)}${edited}: ${first}`,
        ...rest.map((line) => `${margin}${line}`),
      ]
    }
    case "intent":
      return beside(dim(`${handle(event.leader)} ${event.verdict}: ${event.reason}`))
    case "tool":
      if (event.state === "started") return []
      return beside(`${dim(event.tool)} ${event.summary}  ${outcome(event)}`)
    case "turn": {
      const reason = event.reason === null ? "" : ` (${event.reason})`
      const state = event.state === "failed" || event.state === "parked" ? red(event.state) : event.state
      return beside(
        `${dim(`${handle(event.agent)} turn ${event.turn}`)} ${state}${reason}${dim(spent(event))}`,
      )
    }
    case "delivery":
      return beside(dim(`${handle(event.agent)} said it as ${event.platformId}`))
    case "approval":
      return beside(`${handle(event.agent)} ${event.state} for approval: ${event.summary}`)
  }
}

const cleaned = (_: string, value: unknown) => (typeof value === "string" ? harmless(value) : value)

const outcome = (event: Extract<Event, { kind: "tool" }>): string => {
  if (event.state === "unknown") return red("outcome unknown")
  const ended = event.exitCode === null ? (event.ok === false ? "failed" : "done") : `exit ${event.exitCode}`
  return `${event.ok === false ? red(ended) : ended}${dim(`, ${Math.round(event.ms ?? 0)} ms`)}`
}

const spent = (event: Extract<Event, { kind: "turn" }>): string => {
  if (event.cost === null) return ""
  const tools = event.tools === 1 ? "1 tool" : `${event.tools ?? 0} tools`
  return `, $${event.cost.toFixed(4)}, ${Math.round(event.ms ?? 0)} ms, ${tools}`
}
