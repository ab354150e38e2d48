/**
 * Who is asked, and who answers (DESIGN.md section 6). Pure, and the same everywhere: what they look at is in the published
 * message or in the roster.
 */
import type { AgentId } from "./Id.ts"
import type { Agent, Door } from "./Roster.ts"

/** Messages that agents may add to one person's message (P10). */
export const mostHops = 6

/** The open slot: nobody is addressed, and somebody should answer. */
export const open = "*"
/** An open slot of a room that has a model find whom to ask. */
export const triage = "?"

export interface Asking {
  readonly text: string
  readonly mentions: ReadonlyArray<AgentId>
  readonly direct: boolean
}

/**
 * The slots a message opens: one per addressed agent; else the only agent of the room; else the open slot, always in a direct
 * chat, and in a group when the door's triage finds somebody interested; else none (nobody was asked). Outside agents take no
 * open slot: nobody here knows whether they run.
 */
export const slotsOf = (asking: Asking, door: Door): ReadonlyArray<string> => {
  const members = door.members.map((m) => m.agent)
  const mentioned = [...new Set(asking.mentions)].filter((id) => members.some((m) => m.id === id))
  if (mentioned.length > 0) return mentioned
  if (members.length === 0) return []
  if (asking.direct && members.length === 1) return [members[0]!.id]
  const able = members.filter(isInside)
  if (able.length === 0) return []
  if (asking.direct) return [open]
  if (door.triage === "off") return []
  if (door.triage === "model") return [triage]
  return able.some((m) => interest(asking.text, m) > 0) ? [open] : []
}

export const isInside = (agent: Agent): boolean => agent.kind === "inside"

/**
 * Agents of the door that `text` names as `@handle`, in any case, but not in `me@ada.example` or `@adam`; each once, in the
 * order of their first mention.
 */
export const mentionsIn = (
  text: string,
  members: ReadonlyArray<{ readonly id: AgentId; readonly name: string }>,
): ReadonlyArray<AgentId> => {
  const byName = new Map(members.map((m) => [m.name.toLowerCase(), m.id]))
  const found = new Set<AgentId>()
  for (const [, word = ""] of text.matchAll(/(?<![\p{L}\p{N}_@./-])@([a-z][a-z0-9_-]*)/giu)) {
    const handle = word.toLowerCase()
    const id = byName.get(handle) ?? byName.get(handle.replace(/[-_]+$/, ""))
    if (id !== undefined) found.add(id)
  }
  return [...found]
}

/** Whom a person names: by `@handle` anywhere, or by bare names in front: "ada and bo, please look". */
export const namedIn = (
  text: string,
  members: ReadonlyArray<{ readonly id: AgentId; readonly name: string }>,
): ReadonlyArray<AgentId> => {
  const front =
    /^\s*(?:(?:hi|hey|hello|dear)\s+)?([a-z][\w-]*(?:\s*(?:,|and|&|\+)\s*[a-z][\w-]*)*)\s*[,:!]/iu.exec(
      text,
    )?.[1]
  const names = front?.toLowerCase().split(/\s*(?:,|\band\b|&|\+)\s*/u) ?? []
  const called = names.map((name) => members.find((m) => m.name.toLowerCase() === name)?.id)
  const first = called.every((id) => id !== undefined) ? (called as ReadonlyArray<AgentId>) : []
  return [...new Set([...first, ...mentionsIn(text, members)])]
}

export interface Ranked {
  readonly agent: AgentId
  readonly why: string
}

/** The order in which members may take the open slot: who led this person last, then interests, then a hash of the message. */
export const rank = (
  message: { readonly id: string; readonly text: string; readonly lastLead: AgentId | null },
  members: ReadonlyArray<Agent>,
): ReadonlyArray<Ranked> =>
  members
    .filter(isInside)
    .map((m) => ({
      agent: m.id,
      led: m.id === message.lastLead ? 1 : 0,
      interest: interest(message.text, m),
      hash: hash(`${message.id}/${m.id}`),
    }))
    .toSorted((a, b) => b.led - a.led || b.interest - a.interest || a.hash - b.hash)
    .map(({ agent, led, interest: score }) => ({
      agent,
      why:
        led > 0
          ? "led this person last here"
          : score > 0
            ? "declared interest in these words"
            : "first by hash",
    }))

/** How many of the agent's interests the words touch, as whole words. */
const interest = (text: string, agent: Agent): number => {
  const words = new Set(text.toLowerCase().match(/[\p{L}\p{N}_+#-]+/gu) ?? [])
  return agent.interests.filter((i) => words.has(i.toLowerCase())).length
}

/** FNV-1a, 32 bits. */
const hash = (text: string): number => {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}
