/** What became of a question: who allowed or refused what, exactly. While it is open, the words that ask it show it. */
import type { Event } from "../../../runtime/index.ts"

type Approval = Extract<Event, { readonly kind: "approval" }>

const answers = { yes: "Allowed", no: "Refused", expired: "Refused, because nobody answered" } as const

export const Ask = ({ ask }: { readonly ask: Approval }) =>
  ask.answer === null ? null : (
    <p className="ask" data-answer={ask.answer}>
      {answers[ask.answer]}: <code>{ask.summary}</code>
    </p>
  )
