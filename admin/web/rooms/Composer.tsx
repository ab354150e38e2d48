/** Where people speak: grows with the words, completes @names, Enter sends. Words said to an agent at work join its turn. */
import { IconArrowUp, IconX } from "@tabler/icons-react"
import { type FormEvent, type KeyboardEvent, useLayoutEffect, useRef, useState } from "react"
import type { MemberSummary } from "../../api/index.ts"
import { Avatar } from "../ui/Avatar.tsx"
import { useHere } from "./RoomContext.ts"
import { useWritten } from "./Draft.ts"

/** The `@na` before the caret. */
const begun = (box: HTMLTextAreaElement): string | undefined =>
  /(?<![\w@./-])@([a-z0-9_-]*)$/i.exec(box.value.slice(0, box.selectionStart))?.[1]?.toLowerCase()

const tallest = 220

export const Composer = () => {
  const { agents, me, open, room, draft } = useHere()
  const box = useRef<HTMLTextAreaElement>(null)
  const [found, setFound] = useState<ReadonlyArray<MemberSummary>>([])
  const [chosen, setChosen] = useState(0)
  const allowed = room.speakable && me.role !== "viewer"
  const { text, replyTo } = useWritten(draft)

  useLayoutEffect(() => {
    const area = box.current
    if (area === null) return
    area.style.setProperty("height", "auto")
    area.style.setProperty("height", `${Math.min(area.scrollHeight, tallest)}px`)
  }, [text])

  const complete = () => {
    const name = box.current === null ? undefined : begun(box.current)
    const next = name === undefined ? [] : agents.filter((agent) => agent.name.startsWith(name))
    setFound(next.length === 1 && next[0]!.name === name ? [] : next.slice(0, 8))
    setChosen(0)
  }
  const take = (agent: MemberSummary | undefined) => {
    const area = box.current
    if (agent === undefined || area === null) return
    const caret = area.selectionStart
    area.setRangeText(`${agent.name} `, caret - (begun(area) ?? "").length, caret, "end")
    draft.write({ text: area.value })
    setFound([])
  }
  const submit = (event?: FormEvent) => {
    event?.preventDefault()
    if (text.trim() === "" || !allowed) return
    open.say(text, replyTo?.event.id ?? null)
    draft.clear()
    setFound([])
  }
  const key = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return
    if (found.length > 0) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
      if (step !== undefined) {
        event.preventDefault()
        setChosen((chosen + step + found.length) % found.length)
        return
      }
      if (event.key === "Enter" || event.key === "Tab") {
        event.preventDefault()
        take(found[chosen])
        return
      }
      if (event.key === "Escape") {
        event.preventDefault()
        setFound([])
        return
      }
    }
    if (event.key === "Escape" && replyTo !== null) draft.write({ replyTo: null })
    if (event.key === "Enter" && !event.shiftKey) submit(event)
  }
  const placeholder = !room.speakable
    ? `Speak in ${room.doorName}; it appears here`
    : me.role === "viewer"
      ? "You may read here, not speak"
      : "Say something, or @name somebody"
  return (
    <form className="composer" id="composer" autoComplete="off" onSubmit={submit}>
      {replyTo === null ? null : (
        <div className="reply-to">
          <span>
            Reply to <b>{replyTo.event.author.name}</b>: {replyTo.text}
          </span>
          <button
            type="button"
            className="icon-button"
            aria-label="Do not reply"
            onClick={() => draft.write({ replyTo: null })}
          >
            <IconX size={15} />
          </button>
        </div>
      )}
      <div className="composer-box">
        {found.length === 0 ? null : (
          <ul className="mentions" id="mentions" role="listbox" aria-label="Agents">
            {found.map((agent, i) => (
              <li
                key={agent.id}
                id={`mention-${i}`}
                role="option"
                aria-selected={i === chosen}
                onMouseDown={(event) => {
                  event.preventDefault()
                  take(agent)
                }}
              >
                <Avatar id={agent.id} name={agent.name} size="small" />
                <b>@{agent.name}</b>
                <span>{agent.title}</span>
              </li>
            ))}
          </ul>
        )}
        <label className="sr-only" htmlFor="words">
          Say something in this room
        </label>
        <textarea
          id="words"
          ref={box}
          rows={1}
          maxLength={32768}
          value={text}
          disabled={!allowed}
          placeholder={placeholder}
          enterKeyHint="send"
          role="combobox"
          aria-autocomplete="list"
          aria-expanded={found.length > 0}
          aria-controls="mentions"
          aria-activedescendant={found.length > 0 ? `mention-${chosen}` : undefined}
          onChange={(event) => {
            draft.write({ text: event.currentTarget.value })
            complete()
          }}
          onClick={complete}
          onKeyDown={key}
          onBlur={() => setFound([])}
        />
        <button
          className="send"
          type="submit"
          aria-label="Send"
          title="Send"
          disabled={!allowed || text.trim() === ""}
        >
          <IconArrowUp size={19} stroke={2} />
        </button>
      </div>
      <p className="hint">
        <kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> makes a new line, <kbd>@</kbd> names an
        agent
      </p>
    </form>
  )
}
