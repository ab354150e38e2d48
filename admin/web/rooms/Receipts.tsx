/** The tool calls of a turn: what was run, how it ended, how long it took; what it said, when somebody looks. */
import { IconAlertTriangle, IconCheck, IconChevronRight, IconLoader2, IconX } from "@tabler/icons-react"
import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { call, sentence } from "../data/Client.ts"
import * as Format from "../format/Format.ts"
import { Terminal } from "../ui/Terminal.tsx"
import { isOver, type Receipt, type TurnItem } from "./RoomState.ts"

/** More than so many are folded once the turn is over. */
const folded = 5

export const Receipts = ({ item }: { readonly item: TurnItem }) => {
  const [open, setOpen] = useState(false)
  const { receipts } = item
  if (receipts.length === 0) return null
  const rows = receipts.map((receipt) => <Row key={receipt.call} receipt={receipt} turn={item.turn} />)
  if (!isOver(item) || receipts.length <= folded) return <div className="receipts">{rows}</div>
  const bad = receipts.filter((receipt) => receipt.ok === false).length
  return (
    <div className="receipts more" data-open={open}>
      <button type="button" className="receipt-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <IconChevronRight className="chevron" size={16} aria-hidden="true" />
        <span className="what">{receipts.length} receipts</span>
        <span className="how">{bad === 0 ? "all fine" : `${bad} failed`}</span>
      </button>
      {open ? rows : null}
    </div>
  )
}

const outcomeOf = (receipt: Receipt) =>
  receipt.state === "started"
    ? "running"
    : receipt.state === "unknown"
      ? "unknown"
      : receipt.ok === false
        ? "bad"
        : "ok"

const signs = {
  running: { icon: IconLoader2, label: "Running" },
  ok: { icon: IconCheck, label: "Done" },
  bad: { icon: IconX, label: "Failed" },
  unknown: { icon: IconAlertTriangle, label: "Unknown" },
} as const

const Row = ({ receipt, turn }: { readonly receipt: Receipt; readonly turn: string }) => {
  const [open, setOpen] = useState(false)
  const outcome = outcomeOf(receipt)
  const { icon: Icon, label } = signs[outcome]
  const how = [
    outcome === "running" ? "running" : null,
    outcome === "unknown" ? "outcome unknown" : null,
    receipt.exitCode === null ? null : `exit ${receipt.exitCode}`,
    receipt.ms === null ? null : Format.duration(receipt.ms),
  ].filter((part) => part !== null)
  return (
    <div className="receipt" data-outcome={outcome}>
      <button type="button" className="receipt-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="sign" role="img" aria-label={label}>
          <Icon size={16} stroke={2} />
        </span>
        <code className="what">{receipt.summary}</code>
        <span className="how">{how.join(" · ")}</span>
      </button>
      {open ? <Detail receipt={receipt} turn={turn} /> : null}
    </div>
  )
}

const Detail = ({ receipt, turn }: { readonly receipt: Receipt; readonly turn: string }) => {
  const detail = useQuery({
    queryKey: ["call", turn, receipt.call, receipt.state],
    queryFn: () => call("GET /api/turns/:turn/calls/:call", { params: { turn, call: receipt.call } }),
    retry: false,
  })
  return (
    <div className="receipt-detail">
      <dl>
        <div>
          <dt>Tool</dt>
          <dd>{receipt.tool}</dd>
        </div>
        <div>
          <dt>Exit code</dt>
          <dd>{receipt.exitCode ?? "none"}</dd>
        </div>
        <div>
          <dt>Began</dt>
          <dd>{Format.fullTime(receipt.at)}</dd>
        </div>
      </dl>
      <pre className="whole" tabIndex={0}>
        <code>{detail.data?.input ?? receipt.summary}</code>
      </pre>
      {detail.data?.output ? <Terminal text={detail.data.output} /> : null}
      {detail.isError ? <p className="receipt-none">{sentence(detail.error)}</p> : null}
    </div>
  )
}
