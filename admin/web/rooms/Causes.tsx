/** All that followed from one message, as a tree: who answered, with which tools, how long it took and what it cost. */
import { Drawer } from "@mantine/core"
import { useQuery } from "@tanstack/react-query"
import type { Cause } from "../../api/index.ts"
import { call } from "../data/Client.ts"
import * as Format from "../format/Format.ts"
import { Asked } from "../ui/Asked.tsx"

export const Causes = ({
  message,
  close,
}: {
  readonly message: string | null
  readonly close: () => void
}) => (
  <Drawer opened={message !== null} onClose={close} position="right" size="lg" title="What followed from it">
    {message === null ? null : <Tree message={message} />}
  </Drawer>
)

const Tree = ({ message }: { readonly message: string }) => (
  <Asked
    of={useQuery({
      queryKey: ["cause", message],
      queryFn: () => call("GET /api/cause/:message", { params: { message } }).then((a) => a.causes),
      staleTime: 0,
    })}
  >
    {(causes) => {
      const ids = new Set(causes.map((c) => c.id))
      const roots = causes.filter((c) => c.parent === null || !ids.has(c.parent))
      const begin = Math.min(...causes.map((c) => Date.parse(c.at)))
      const end = Math.max(...causes.map((c) => Date.parse(c.at) + (c.ms ?? 0)), begin + 1)
      const turns = causes.filter((c) => c.kind === "turn")
      const dollars = turns.reduce((sum, c) => sum + (c.dollars ?? 0), 0)
      return (
        <>
          <p className="quiet">
            {turns.length} {turns.length === 1 ? "turn" : "turns"},{" "}
            {causes.filter((c) => c.kind === "tool").length} tool calls, {Format.money(dollars)},{" "}
            {Format.duration(end - begin)} from the first word to the last.
          </p>
          <ul className="causes">
            {roots.map((root) => (
              <Node key={root.id} of={root} all={causes} begin={begin} span={end - begin} />
            ))}
          </ul>
        </>
      )
    }}
  </Asked>
)

const Node = ({
  of,
  all,
  begin,
  span,
}: {
  readonly of: Cause
  readonly all: ReadonlyArray<Cause>
  readonly begin: number
  readonly span: number
}) => {
  const children = all.filter((c) => c.parent === of.id)
  const from = (100 * (Date.parse(of.at) - begin)) / span
  const long = Math.max(0.6, (100 * (of.ms ?? 0)) / span)
  return (
    <li data-kind={of.kind}>
      <div className="cause">
        <b>{of.who}</b>
        <span className="cause-text">{of.kind === "turn" ? `works: ${of.state}` : of.text}</span>
        <span className="cause-numbers">
          {of.ms === null ? "" : Format.duration(of.ms)}
          {of.dollars === null || of.dollars === 0 ? "" : ` · ${Format.money(of.dollars)}`}
        </span>
        <span className="cause-line" aria-hidden="true">
          <i
            style={{
              marginLeft: `${Math.min(from, 99)}%`,
              width: `${Math.min(long, 100 - Math.min(from, 99))}%`,
            }}
          />
        </span>
      </div>
      {children.length === 0 ? null : (
        <ul>
          {children.map((child) => (
            <Node key={child.id} of={child} all={all} begin={begin} span={span} />
          ))}
        </ul>
      )}
    </li>
  )
}
