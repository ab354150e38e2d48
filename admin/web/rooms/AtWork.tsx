/** Who is at work in this room now, doing what, with the way to stop them. */
import { IconPlayerPauseFilled, IconPlayerStopFilled } from "@tabler/icons-react"
import { useState } from "react"
import { call } from "../data/Client.ts"
import { Avatar } from "../ui/Avatar.tsx"
import { complain, toast } from "../ui/Toasts.tsx"
import { nameIn, useHere } from "./RoomContext.ts"
import type { TurnItem } from "./RoomState.ts"

/** Why a turn rests. */
const rests: Readonly<Record<string, string>> = {
  approval: "asks for permission",
  money: "waits for money",
  wait: "waits, as it was told",
}

const doing = (turn: TurnItem): string => {
  if (turn.state === "waiting") return rests[turn.note ?? ""] ?? "waits for an answer"
  const running = turn.receipts.findLast(({ state }) => state === "started")
  if (running !== undefined) return `runs ${running.summary}`
  return turn.live === null ? "thinks" : "writes"
}

export const AtWork = ({ turns }: { readonly turns: ReadonlyArray<TurnItem> }) =>
  turns.length === 0 ? null : (
    <ul className="at-work" aria-label="At work">
      {turns.map((turn) => (
        <Row key={turn.turn} turn={turn} />
      ))}
    </ul>
  )

const Row = ({ turn }: { readonly turn: TurnItem }) => {
  const { agents, me, open } = useHere()
  const [stopping, setStopping] = useState(false)
  const name = nameIn(agents, turn.agent)
  const stop = async () => {
    setStopping(true)
    try {
      const { stopped } = await call("POST /api/turns/:turn/stop", { params: { turn: turn.turn } })
      if (!stopped) toast(`${name} was not working any more.`)
    } catch (error) {
      complain(error)
      setStopping(false)
    }
  }
  return (
    <li>
      <Avatar id={turn.agent} name={name} size="small" />
      <span className="at-work-what">
        <b>{name}</b> {doing(turn)}
      </span>
      {me.role === "viewer" || turn.state === "waiting" ? null : (
        <button
          type="button"
          className="stop"
          onClick={() =>
            void open.press({ label: "wait", order: { verb: "wait", turn: turn.turn as never } })
          }
        >
          <IconPlayerPauseFilled size={13} />
          Wait
        </button>
      )}
      {me.role === "viewer" ? null : (
        <button type="button" className="stop" disabled={stopping} onClick={() => void stop()}>
          <IconPlayerStopFilled size={13} />
          {stopping ? "Stopping" : "Stop"}
        </button>
      )}
    </li>
  )
}
