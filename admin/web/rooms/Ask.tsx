/** A question of an agent that a person answers: what it wants to do, exactly, and what became of it. */
import type { Event } from "../../../runtime/index.ts"

type Approval = Extract<Event, { readonly kind: "approval" }>

const answers = { yes: "allowed", no: "refused", expired: "refused, because nobody answered" } as const

export const Ask = ({ ask, name }: { readonly ask: Approval; readonly name: string }) => (
  <div className="ask" data-state={ask.state}>
    <span>
      {name} asks to run <code>{ask.summary}</code>
    </span>
    <b>{ask.answer === null ? "waits for an answer" : answers[ask.answer]}</b>
  </div>
)
