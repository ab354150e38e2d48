/** Finds the agents that words on the page name: `@ada`, in any case, but not in `me@ada.example` or `@adam`. */
import type { AgentId } from "../../runtime/index.ts"

export const mentionsIn = (
  text: string,
  members: ReadonlyArray<{ readonly id: AgentId; readonly name: string }>,
): ReadonlyArray<AgentId> => {
  const byName = new Map(members.map((member) => [member.name.toLowerCase(), member.id]))
  const found = new Set<AgentId>()
  for (const [, word = ""] of text.matchAll(/(?<![\p{L}\p{N}_@./-])@([a-z][a-z0-9_-]*)/giu)) {
    const id = byName.get(word.toLowerCase()) ?? byName.get(word.toLowerCase().replace(/[-_]+$/, ""))
    if (id !== undefined) found.add(id)
  }
  return [...found]
}
