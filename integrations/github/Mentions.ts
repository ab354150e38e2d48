/**
 * Whom words ask: agents by their handle, or the App by its own name. Names in code, quotations and hidden comments ask
 * nobody: a reply that quotes the words of somebody else is not their call.
 */
import { mentionsIn, type AgentId } from "../../runtime/index.ts"

export interface Member {
  readonly id: AgentId
  readonly name: string
  readonly interests: ReadonlyArray<string>
}

export interface Asked {
  readonly agents: ReadonlyArray<AgentId>
  /** The App itself is named: any agent. */
  readonly app: boolean
}

export const askedBy = (text: string, members: ReadonlyArray<Member>, slug: string): Asked => {
  if (!text.includes("@")) return { agents: [], app: false }
  const spoken = addressable(text)
  const name = slug.replace(/[^\w-]/g, "")
  return {
    agents: mentionsIn(spoken, members),
    app: new RegExp(`(?<![\\p{L}\\p{N}_@./-])@${name}(?:\\[bot\\])?(?![\\w-])`, "iu").test(spoken),
  }
}

/** The words without what is not said to anybody. */
export const addressable = (text: string): string =>
  text
    .replace(/<!--[\s\S]*?(?:-->|$)/g, " ")
    .replace(/^( {0,3})(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^ {0,3}\2[`~]*[^\S\n]*$|$(?![\s\S]))/gm, " ")
    .replace(/^ {0,3}>.*$/gm, " ")
    .replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, " ")
