/**
 * A live room as text that only grows: events as lines, and between them an agent's words while they come. One agent is
 * heard live at a time; the words of others appear when they are final, and so does what was heard with a gap.
 */
import type { Event } from "../../runtime/index.ts"
import { bold, dim, harmless } from "./Paint.ts"
import { eventLines, margin } from "./EventLines.ts"

export interface Delta {
  readonly turn: string
  readonly agent: string
  readonly text: string
}

export class TailText {
  private readonly names: Map<string, string>
  /** The line that is being written. */
  private open: { readonly turn: string; text: string } | null = null

  constructor(names: Iterable<readonly [string, string]>) {
    this.names = new Map(names)
  }

  delta({ turn, agent, text }: Delta): string {
    if (this.open === null) {
      this.open = { turn, text: "" }
      return `${dim("   …")}  ${bold(this.names.get(agent) ?? agent)}: ${this.grow(text)}`
    }
    return this.open.turn === turn ? this.grow(text) : ""
  }

  event(event: Event): string {
    const said = this.open
    this.open = null
    const close = said === null ? "" : "\n"
    if (event.kind === "message") {
      if (event.author.kind === "agent") this.names.set(event.author.id, event.author.name)
      if (event.turn !== null && said?.turn === event.turn && said.text.trim() === event.text.trim())
        return close
    }
    return (
      close +
      eventLines(event, this.names)
        .map((line) => `${line}\n`)
        .join("")
    )
  }

  private grow(text: string): string {
    if (this.open !== null) this.open.text += text
    return harmless(text).replaceAll("\n", `\n${margin}`)
  }
}
