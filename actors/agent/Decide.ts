/**
 * What an agent makes of words it heard (P4, P5). Pure: everything it looks at is in the message or the roster. A pass is
 * derived, nothing is written for it.
 */
import {
  openSlot,
  orderSlot,
  rank,
  triageSlot,
  type AgentId,
  type Door,
  type MessageEvent,
} from "../../runtime/index.ts"

export type Verdict =
  | {
      readonly verdict: "mine"
      readonly slot: string
      readonly reason: string
      readonly ranking: ReadonlyArray<AgentId>
    }
  /** An order that nobody has carried out: the runtime's own slot. */
  | { readonly verdict: "order" }
  /** Words it may be working on were edited: the conversation knows. */
  | { readonly verdict: "edit" }
  | { readonly verdict: "pass" }

const pass: Verdict = { verdict: "pass" }

/** `now`: milliseconds since the epoch. */
export const decide = (event: MessageEvent, self: AgentId, door: Door, now: number): Verdict => {
  if (event.author.kind === "agent" && event.author.id === self) return pass
  if (event.slots.includes(self)) {
    const reason = event.author.kind === "agent" ? `called by @${event.author.name}` : "addressed"
    return { verdict: "mine", slot: self, reason, ranking: [] }
  }
  const slot = [openSlot, triageSlot, orderSlot].find((s) => event.slots.includes(s))
  if (slot !== undefined) {
    const ranked = rank(
      event,
      door.members.map((m) => m.agent),
    )
    const place = ranked.findIndex((r) => r.agent === self)
    // On the n-th repair the first n + 1 may take the slot: whoever should have is not there.
    const mine = place >= 0 && place <= (event.repair ?? 0)
    if (slot === orderSlot) return mine && (event.repair ?? 0) > 0 ? { verdict: "order" } : pass
    const patience = door.members.find((m) => m.agent.id === self)?.agent.patience ?? 0
    const stale = now - Date.parse(event.at) > patience * 60_000
    if (mine && !stale)
      return { verdict: "mine", slot, reason: ranked[place]!.why, ranking: ranked.map((r) => r.agent) }
  }
  return event.edits === null ? pass : { verdict: "edit" }
}
