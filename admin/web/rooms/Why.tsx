/** What each agent did with a message, and why: every silence has a reason. */
import { useQuery } from "@tanstack/react-query"
import { call, sentence } from "../data/Client.ts"
import { Avatar } from "../ui/Avatar.tsx"
import { useHere } from "./RoomContext.ts"

const words: Readonly<Record<string, string>> = {
  lead: "leads",
  queued: "is next",
  joined: "takes it along",
  pass: "stays silent",
  parked: "is parked",
  due: "is deciding",
}
export const verdictWords = (verdict: string): string => words[verdict] ?? verdict

export const Why = ({ message }: { readonly message: string }) => {
  const { room } = useHere()
  const why = useQuery({
    queryKey: ["why", room.id, message],
    queryFn: () =>
      call("GET /api/rooms/:id/why", { params: { id: room.id }, query: { message } }).then(({ why }) => why),
    staleTime: 0,
  })
  if (why.isError) return <p className="trouble">{sentence(why.error)}</p>
  if (why.data === undefined) return null
  return (
    <ul className="reasons" aria-label="Why">
      {why.data.map((entry) => (
        <li key={entry.agent}>
          <Avatar id={entry.agent} name={entry.name} size="small" />
          <span>
            <b>{entry.name}</b> {verdictWords(entry.verdict)}: {entry.reason}
          </span>
        </li>
      ))}
      {why.data.length === 0 ? <li>Nobody was asked.</li> : null}
    </ul>
  )
}
