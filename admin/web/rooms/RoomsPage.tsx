/** Rooms beside the one that is open. On a phone, one after the other. */
import { useQuery } from "@tanstack/react-query"
import { useNavigate, useParams } from "@tanstack/react-router"
import { useEffect } from "react"
import { agentsQuery, roomsQuery } from "../data/Queries.ts"
import { Avatar } from "../ui/Avatar.tsx"
import { NewRoom, newRoom } from "./NewRoom.tsx"
import { RoomList } from "./RoomList.tsx"
import { RoomView } from "./RoomView.tsx"

const wide = () => matchMedia("(min-width: 46.01rem)").matches
const lastRoom = "room"

export const RoomsPage = () => {
  const { room: id } = useParams({ strict: false })
  const navigate = useNavigate()
  const rooms = useQuery(roomsQuery).data
  const open = rooms?.find((room) => room.id === id)
  useEffect(() => {
    if (id !== undefined) localStorage.setItem(lastRoom, id)
    else if (rooms !== undefined && wide()) {
      const last = rooms.find((room) => room.id === localStorage.getItem(lastRoom)) ?? rooms[0]
      if (last !== undefined) void navigate({ to: "/rooms/$room", params: { room: last.id }, replace: true })
    }
  }, [id, rooms, navigate])
  return (
    <div className={id === undefined ? "rooms-page" : "rooms-page with-room"}>
      <RoomList rooms={rooms} open={id} />
      <section className="main">
        {id !== undefined && open !== undefined ? <RoomView key={id} room={open} /> : null}
        {rooms !== undefined && rooms.length === 0 ? <NoRooms /> : null}
        {rooms !== undefined && id !== undefined && open === undefined ? (
          <div className="empty">
            <h2>This room is not here</h2>
            <p>It may be older than the rooms that are listed, or it was never here.</p>
          </div>
        ) : null}
      </section>
      <NewRoom />
    </div>
  )
}

const NoRooms = () => {
  const agents = useQuery(agentsQuery).data ?? []
  return (
    <div className="empty" id="empty">
      <div className="faces">
        {agents.map(({ id, name }) => (
          <Avatar key={id} id={id} name={name} size="large" />
        ))}
      </div>
      <h2>Open a room</h2>
      <p>A room is one conversation. Every agent in it hears every word and decides whether to act.</p>
      <button type="button" className="solid-button" onClick={() => newRoom.open()}>
        Open the first room
      </button>
    </div>
  )
}
