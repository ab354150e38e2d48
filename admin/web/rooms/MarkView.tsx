/** A quiet line: what an agent that does not lead does with the words, and why. */
import { memo } from "react"
import { Avatar } from "../ui/Avatar.tsx"
import { nameIn, useHere } from "./RoomContext.ts"
import type { Mark } from "./RoomState.ts"
import { verdictWords } from "./Why.tsx"

export const MarkView = memo(({ item: { intent } }: { readonly item: Mark }) => {
  const { agents } = useHere()
  const name = nameIn(agents, intent.leader)
  return (
    <p className="mark">
      <span className="mark-text">
        <Avatar id={intent.leader} name={name} size="small" />
        <span>
          <b>{name}</b> {verdictWords(intent.verdict)}: {intent.reason}
        </span>
      </span>
    </p>
  )
})
