/**
 * The log of the room, of any length: only what is in view is drawn. It stays at the newest words unless the person looked
 * further up, and keeps its place when older ones come in above.
 */
import { IconArrowDown } from "@tabler/icons-react"
import { useVirtualizer } from "@tanstack/react-virtual"
import { type ReactNode, useEffect, useRef, useState } from "react"
import * as Format from "../format/Format.ts"
import { MarkView } from "./MarkView.tsx"
import type { OpenRoom, Pending } from "./OpenRoom.ts"
import { PendingView } from "./PendingView.tsx"
import type { Item } from "./RoomState.ts"
import { TurnView } from "./TurnView.tsx"
import { WordsView } from "./WordsView.tsx"

const heights = { words: 76, turn: 150, mark: 26, pending: 76 } as const
/** Older words are fetched before the person reaches the top. */
const nearTop = 600

export const Timeline = ({
  open,
  version,
  children,
}: {
  readonly open: OpenRoom
  readonly version: number
  readonly children: ReactNode
}) => {
  const scroll = useRef<HTMLDivElement>(null)
  const [pinned, setPinned] = useState(true)
  const shown: ReadonlyArray<Item | Pending> = open.ready ? [...open.state.items, ...open.pending] : []
  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroll.current,
    estimateSize: (i) => heights[shown[i]!.type],
    getItemKey: (i) => shown[i]!.key,
    gap: 20,
    overscan: 6,
    paddingStart: 20,
    paddingEnd: 24,
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: 60,
  })
  // The first look is at the newest words.
  const started = open.ready && shown.length > 0
  useEffect(() => {
    if (started) rows.scrollToEnd()
  }, [started])
  // What this person says is always shown to them.
  const saying = open.pending.length
  useEffect(() => {
    if (saying > 0) rows.scrollToEnd()
  }, [saying])
  const onScroll = () => {
    const box = scroll.current
    if (box === null) return
    setPinned(box.scrollHeight - box.scrollTop - box.clientHeight < 60)
    if (box.scrollTop < nearTop && started) void open.earlier()
  }
  return (
    <div className="scroll-frame" data-version={version}>
      <div
        className="scroll"
        id="scroll"
        ref={scroll}
        onScroll={onScroll}
        tabIndex={0}
        role="region"
        aria-label="Conversation"
      >
        <div className="column">
          {children}
          {open.ready ? null : <p className="earlier-note">Reading the room…</p>}
          {started && open.more && shown.length > 20 ? (
            <p className="earlier-note">{open.loading ? "Reading earlier words…" : ""}</p>
          ) : null}
          {shown.length === 0 ? null : (
            <ol className="timeline" style={{ height: rows.getTotalSize() }}>
              {rows.getVirtualItems().map((row) => {
                const item = shown[row.index]!
                return (
                  <li
                    key={row.key}
                    ref={rows.measureElement}
                    data-index={row.index}
                    className="row"
                    style={{ transform: `translateY(${row.start}px)` }}
                  >
                    <Day item={item} before={shown[row.index - 1]} />
                    <ItemView item={item} />
                  </li>
                )
              })}
            </ol>
          )}
        </div>
      </div>
      {pinned ? null : (
        <button type="button" className="newer" onClick={() => rows.scrollToEnd({ behavior: "smooth" })}>
          <IconArrowDown size={16} />
          Latest words
        </button>
      )}
    </div>
  )
}

const Day = ({
  item,
  before,
}: {
  readonly item: Item | Pending
  readonly before: Item | Pending | undefined
}) =>
  before !== undefined && Format.dayKey(before.at) === Format.dayKey(item.at) ? null : (
    <div className="day">
      <span>{Format.day(item.at)}</span>
    </div>
  )

const ItemView = ({ item }: { readonly item: Item | Pending }) => {
  switch (item.type) {
    case "words":
      return <WordsView item={item} />
    case "turn":
      return <TurnView item={item} />
    case "mark":
      return <MarkView item={item} />
    case "pending":
      return <PendingView item={item} />
  }
}
