/** A room's log as lines for people: words, tools with receipts, turns with what they cost. */
import type { Event } from "../../runtime/index.ts"

export const eventLines = (events: ReadonlyArray<Event>): ReadonlyArray<string> => events.flatMap(linesOf)

const linesOf = (event: Event): ReadonlyArray<string> => {
  const at = `${String(event.pos).padStart(4)}  `
  switch (event.kind) {
    case "message": {
      const [first = "", ...rest] = event.text.split("\n")
      return [`${at}${event.author.name}: ${first}`, ...rest.map((line) => `      ${line}`)]
    }
    case "intent":
      return [`${at}  ${event.verdict}: ${event.reason}`]
    case "tool":
      return event.state === "started"
        ? []
        : [
            `${at}  ${event.tool} ${event.summary}  ${event.state === "unknown" ? "outcome unknown" : `exit ${event.exitCode ?? "-"}, ${Math.round(event.ms ?? 0)} ms`}`,
          ]
    case "turn":
      return event.state === "started"
        ? [`${at}  turn ${event.turn} started`]
        : [
            `${at}  turn ${event.turn} ${event.state}${event.reason === null ? "" : ` (${event.reason})`}${event.cost === null ? "" : `, $${event.cost.toFixed(4)}, ${Math.round(event.ms ?? 0)} ms, ${event.tools ?? 0} tools`}`,
          ]
    case "delivery":
      return [`${at}  said as ${event.platformId}`]
    case "approval":
      return [`${at}  approval ${event.state}: ${event.summary}`]
  }
}
