/**
 * What an agent makes of words it heard (P4, P5). Pure: everything it looks at is in the message or the roster. A pass is
 * derived, nothing is written for it.
 */
import { openSlot, rank, type AgentId, type Door, type MessageEvent } from "../../runtime/index.ts"

export type Verdict =
  | {
      readonly verdict: "mine"
      readonly slot: string
      readonly reason: string
      readonly ranking: ReadonlyArray<AgentId>
    }
  /** Words it may be working on were edited: the conversation knows. */
  | { readonly verdict: "edit" }
  | { readonly verdict: "pass" }

const pass: Verdict = { verdict: "pass" }

export const decide = (event: MessageEvent, self: AgentId, door: Door): Verdict => {
  if (event.author.kind === "agent" && event.author.id === self) return pass
  if (event.slots.includes(self)) {
    const reason = event.author.kind === "agent" ? `called by @${event.author.name}` : "addressed"
    return { verdict: "mine", slot: self, reason, ranking: [] }
  }
  if (event.slots.includes(openSlot)) {
    const ranked = rank(
      event,
      door.members.map((m) => m.agent),
    )
    const place = ranked.findIndex((r) => r.agent === self)
    // On the n-th repair the first n + 1 may take the slot: whoever should have is not there.
    if (place >= 0 && place <= (event.repair ?? 0))
      return {
        verdict: "mine",
        slot: openSlot,
        reason: ranked[place]!.why,
        ranking: ranked.map((r) => r.agent),
      }
  }
  return event.edits === null ? pass : { verdict: "edit" }
}
