/** The rooms, the latest first: what was said last, who is at work there, what waits for a person. */
import { Tooltip } from "@mantine/core"
import { IconPlus } from "@tabler/icons-react"
import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import type { RoomSummary } from "../../api/index.ts"
import { agentsQuery } from "../data/Queries.ts"
import * as Format from "../format/Format.ts"
import { Avatar } from "../ui/Avatar.tsx"
import { newRoom } from "./NewRoom.tsx"

export const RoomList = ({
  rooms,
  open,
}: {
  readonly rooms: ReadonlyArray<RoomSummary> | undefined
  readonly open: string | undefined
}) => (
  <aside className="side" id="side" aria-label="Rooms">
    <header className="side-head">
      <h2>Rooms</h2>
      <Tooltip label="Open a room">
        <button type="button" className="icon-button" aria-label="Open a room" onClick={() => newRoom.open()}>
          <IconPlus size={19} stroke={1.8} />
        </button>
      </Tooltip>
    </header>
    <nav className="rooms" aria-label="Rooms">
      <ul id="rooms">
        {rooms?.map((room) => (
          <li key={room.id}>
            <RoomRow room={room} current={room.id === open} />
          </li>
        ))}
        {rooms?.length === 0 ? <li className="no-rooms">No rooms yet.</li> : null}
      </ul>
    </nav>
  </aside>
)

const RoomRow = ({ room, current }: { readonly room: RoomSummary; readonly current: boolean }) => {
  const agents = useQuery(agentsQuery).data ?? []
  return (
    <Link
      to="/rooms/$room"
      params={{ room: room.id }}
      className="room"
      aria-current={current ? "true" : undefined}
    >
      <span className="room-title">{room.title}</span>
      <span className="room-when">{room.lastAt === null ? "" : Format.ago(room.lastAt)}</span>
      <span className="room-last">
        {room.last === null ? (
          "Nothing was said yet"
        ) : (
          <>
            <b>{room.last.author}</b> {room.last.text.replaceAll(/[*_`#>|]+/g, "")}
          </>
        )}
      </span>
      <span className="room-signs">
        {room.working.map((agent) => {
          const name = agents.find(({ id }) => id === agent)?.name ?? agent
          return <Avatar key={agent} id={agent} name={name} state="working" />
        })}
        {room.asks > 0 ? (
          <b className="count" data-kind="ask" aria-label={`${room.asks} waiting for an answer`}>
            {room.asks}
          </b>
        ) : null}
        {room.working.length === 0 && room.asks === 0 ? (
          <span className="room-door">{room.doorName}</span>
        ) : null}
      </span>
    </Link>
  )
}
