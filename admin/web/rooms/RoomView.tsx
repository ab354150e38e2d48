/** One room: its head, its log, who is at work in it, and the composer. */
import { Tooltip } from "@mantine/core"
import { IconArrowLeft } from "@tabler/icons-react"
import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { useEffect, useMemo, useState, useSyncExternalStore } from "react"
import type { MemberSummary, RoomSummary } from "../../api/index.ts"
import { agentsQuery, meQuery } from "../data/Queries.ts"
import { LineState } from "../shell/LineState.tsx"
import { Avatar } from "../ui/Avatar.tsx"
import { AtWork } from "./AtWork.tsx"
import { Causes } from "./Causes.tsx"
import { Composer } from "./Composer.tsx"
import { draftOf } from "./Draft.ts"
import { EmptyRoom } from "./EmptyRoom.tsx"
import { OpenRoom } from "./OpenRoom.ts"
import { RoomContext } from "./RoomContext.ts"
import { Timeline } from "./Timeline.tsx"

const nobody: ReadonlyArray<MemberSummary> = []

export const RoomView = ({ room }: { readonly room: RoomSummary }) => {
  const [open] = useState(() => new OpenRoom(room.id, room.head))
  const version = useSyncExternalStore(open.watch, () => open.version)
  const agents = useQuery(agentsQuery).data ?? nobody
  const me = useQuery(meQuery).data!
  const { id, title, doorName, speakable } = room
  const draft = draftOf(id)
  const [traced, setTraced] = useState<string | null>(null)
  const here = useMemo(
    () => ({ room: { id, title, doorName, speakable }, agents, me, open, draft, trace: setTraced }),
    [id, title, doorName, speakable, agents, me, open, draft],
  )
  useEffect(() => open.follow(), [open])
  useEffect(() => {
    document.title = `${room.title} · Troupe`
    return () => void (document.title = "Troupe")
  }, [room.title])
  const { items } = open.state
  const working = open.state.open
  const busy = new Map(
    working.map((turn) => [turn.agent, turn.state === "waiting" ? "waiting" : "working"] as const),
  )
  const nothing = open.ready && items.length === 0 && open.pending.length === 0
  return (
    <RoomContext value={here}>
      <header className="bar">
        <Link to="/rooms" className="icon-button only-narrow" aria-label="Show rooms">
          <IconArrowLeft size={20} />
        </Link>
        <div className="bar-title">
          <h1 id="title">{room.title}</h1>
          <span className="bar-door">{room.doorName}</span>
        </div>
        <LineState />
        <ul className="members" aria-label="Agents here">
          {agents.map(({ id, name, title, state }) => {
            const doing = busy.get(id) ?? (state === "working" ? "idle" : state)
            return (
              <li key={id}>
                <Tooltip label={`@${name}, ${title}: ${doing}`}>
                  <Link to="/agents/$agent" params={{ agent: id }} aria-label={`${name}, ${title}, ${doing}`}>
                    <Avatar id={id} name={name} state={doing} />
                  </Link>
                </Tooltip>
              </li>
            )
          })}
        </ul>
      </header>
      <Timeline open={open} version={version}>
        {nothing ? <EmptyRoom /> : null}
      </Timeline>
      <AtWork turns={working} />
      <Composer />
      <Causes message={traced} close={() => setTraced(null)} />
      <Spoken open={open} />
    </RoomContext>
  )
}

/** Agents' words, for those who listen. */
const Spoken = ({ open }: { readonly open: OpenRoom }) => {
  const [text, setText] = useState("")
  useEffect(
    () =>
      open.onWords(({ author, text }) => {
        if (author.kind !== "person") setText(`${author.name}: ${text}`)
      }),
    [open],
  )
  return (
    <div className="sr-only" aria-live="polite">
      {text}
    </div>
  )
}
