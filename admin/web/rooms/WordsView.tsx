/** What somebody said, with its files; for a person's words, why each agent acted or not. */
import { memo, useState } from "react"
import * as Format from "../format/Format.ts"
import { Avatar } from "../ui/Avatar.tsx"
import { Markdown, WithMentions } from "../ui/Markdown.tsx"
import { Attachments } from "./Attachments.tsx"
import { useHere } from "./RoomContext.ts"
import type { Words } from "./RoomState.ts"
import { Why } from "./Why.tsx"

export const WordsView = memo(({ item }: { readonly item: Words }) => {
  const { me, room, draft, trace } = useHere()
  const { author, attachments, id } = item.event
  const [asked, setAsked] = useState(false)
  const mine = author.kind === "person" && author.door === me.door && author.id === me.id
  const agent = author.kind === "agent"
  return (
    <div className={["words", mine ? "mine" : "", agent ? "from-agent" : ""].join(" ").trim()}>
      {mine ? null : <Avatar id={author.id} name={author.name} />}
      <article className="said" aria-label={`${mine ? "You" : author.name} at ${Format.time(item.at)}`}>
        <header className="by">
          {mine ? null : <b>{author.name}</b>}
          <time dateTime={item.at} title={Format.fullTime(item.at)}>
            {Format.time(item.at)}
          </time>
          {item.edited ? <span>edited</span> : null}
          {author.kind === "person" ? (
            <button type="button" className="why" aria-expanded={asked} onClick={() => setAsked(!asked)}>
              Why?
            </button>
          ) : null}
          {author.kind === "person" ? (
            <button type="button" className="why" onClick={() => trace(id)}>
              Trace
            </button>
          ) : null}
          {room.speakable ? (
            <button
              type="button"
              className="why"
              onClick={() => {
                draft.write({ replyTo: item })
                document.getElementById("words")?.focus()
              }}
            >
              Reply
            </button>
          ) : null}
        </header>
        {item.text === "" ? null : (
          <div className={agent ? "bubble prose" : "bubble"}>
            {agent ? <Markdown text={item.text} /> : <WithMentions text={item.text} />}
          </div>
        )}
        <Attachments files={attachments} />
        {asked ? <Why message={id} /> : null}
      </article>
    </div>
  )
})
