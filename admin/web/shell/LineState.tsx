/** Says so when the line is broken, or closed. */
import { useSyncExternalStore } from "react"
import { line } from "../data/Line.ts"

export const LineState = () => {
  const state = useSyncExternalStore(line.watch, () => line.state)
  return (
    <span className="line" id="line" role="status" data-state={state}>
      {{ open: "", connecting: "Reconnecting", closed: "Locked" }[state]}
    </span>
  )
}
