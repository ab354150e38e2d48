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

/** The words without what is not said to anybody. In time that grows with the text only, whatever it is. */
export const addressable = (text: string): string =>
  withoutCode(
    text
      .replace(/<!--[\s\S]*?(?:-->|$)/g, " ")
      .replace(/^( {0,3})(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^ {0,3}\2[`~]*[^\S\n]*$|$(?![\s\S]))/gm, " ")
      .replace(/^ {0,3}>.*$/gm, " "),
  )

/** A run of backticks opens code that the next run of the same length ends; one that has no end is text. */
function withoutCode(text: string): string {
  const runs = [...text.matchAll(/`+/g)].map((run) => ({ at: run.index, length: run[0].length }))
  /** For each run the next one of its length. */
  const next: Array<number | undefined> = []
  const latest = new Map<number, number>()
  for (let i = runs.length - 1; i >= 0; i--) {
    next[i] = latest.get(runs[i]!.length)
    latest.set(runs[i]!.length, i)
  }
  let spoken = ""
  let from = 0
  for (let i = 0; i < runs.length; i++) {
    const end = next[i]
    if (end === undefined) continue
    spoken += `${text.slice(from, runs[i]!.at)} `
    from = runs[end]!.at + runs[end]!.length
    i = end
  }
  return spoken + text.slice(from)
}
