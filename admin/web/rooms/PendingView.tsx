/** Words on their way: shown at once, and not lost when they could not be sent. */
import { WithMentions } from "../ui/Markdown.tsx"
import type { Pending } from "./OpenRoom.ts"
import { useHere } from "./RoomContext.ts"

export const PendingView = ({ item }: { readonly item: Pending }) => {
  const { open } = useHere()
  return (
    <div className={item.failed ? "words mine pending failed" : "words mine pending"}>
      <article className="said">
        <header className="by">
          {item.failed ? (
            <>
              <button type="button" className="why" onClick={() => open.drop(item.id)}>
                Discard
              </button>
              <button type="button" className="why" onClick={() => void open.send(item.id)}>
                Send again
              </button>
              <span className="sending">Not sent</span>
            </>
          ) : (
            <span className="sending">Sending</span>
          )}
        </header>
        <div className="bubble">
          <WithMentions text={item.text} />
        </div>
      </article>
    </div>
  )
}
