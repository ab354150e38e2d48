/** An agent's turn: why it leads, its tools with receipts, its words as they come, what it asks, and the bill. */
import { memo, useState } from "react"
import type { Action } from "./OpenRoom.ts"
import type { Said, TurnItem } from "./RoomState.ts"
import * as Format from "../format/Format.ts"
import { Avatar } from "../ui/Avatar.tsx"
import { Markdown } from "../ui/Markdown.tsx"
import { Ask } from "./Ask.tsx"
import { Receipts } from "./Receipts.tsx"
import { nameIn, useHere } from "./RoomContext.ts"
import { isOver } from "./RoomState.ts"

export const TurnView = memo(({ item }: { readonly item: TurnItem }) => {
  const { agents } = useHere()
  const agent = agents.find(({ id }) => id === item.agent)
  const name = nameIn(agents, item.agent)
  const over = isOver(item)
  const waits = item.state === "waiting"
  return (
    <div className="turn" data-state={item.state}>
      <Avatar id={item.agent} name={name} state={over ? undefined : waits ? "waiting" : "working"} />
      <article className="said" aria-label={`${name} at ${Format.time(item.at)}`} aria-busy={!over}>
        <header className="by">
          <b>{name}</b>
          <span className="role">{agent?.title}</span>
          <time dateTime={item.at} title={Format.fullTime(item.at)}>
            {Format.time(item.at)}
          </time>
          {item.reason === null ? null : <span className="because">{item.reason}</span>}
        </header>
        <Receipts item={item} />
        {item.said.map((said, i) => (
          <div key={said.id} className="prose">
            <Markdown text={said.text} />
            {waits && i === item.said.length - 1 ? <Actions of={said} /> : null}
          </div>
        ))}
        {item.live === null ? null : (
          <div className="prose live">
            <Markdown text={item.live.text} />
          </div>
        )}
        {over || item.live !== null || item.said.length > 0 ? null : (
          <p className="thinking">
            <span className="dots" aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
            <span className="sr-only">{waits ? `${name} waits for an answer` : `${name} is working`}</span>
          </p>
        )}
        {item.asks.map((ask) => (
          <Ask key={ask.call} ask={ask} />
        ))}
        <Trouble item={item} name={name} />
        <Bill item={item} />
      </article>
    </div>
  )
})

/** What a waiting turn can be told, for those who may. */
const Actions = ({ of }: { readonly of: Said }) => {
  const { open, me } = useHere()
  const [pressed, setPressed] = useState(false)
  if (of.actions.length === 0 || me.role === "viewer") return null
  const press = async (action: Action) => {
    setPressed(true)
    await open.press(action)
    setPressed(false)
  }
  return (
    <div className="actions">
      {of.actions.map((action) => (
        <button
          key={action.label}
          type="button"
          disabled={pressed}
          className={
            action.order.verb === "stop" || action.order.verb === "refuse" ? "quiet-button" : "solid-button"
          }
          onClick={() => void press(action)}
        >
          {action.label}
        </button>
      ))}
    </div>
  )
}

const Trouble = ({ item, name }: { readonly item: TurnItem; readonly name: string }) => {
  const words = {
    failed: `${name} could not finish`,
    stopped: `${name} was stopped`,
    parked: `${name} is parked`,
  }[item.state as string]
  if (words === undefined) return null
  return <p className="trouble">{item.note === null ? `${words}.` : `${words}: ${item.note}`}</p>
}

const Bill = ({ item }: { readonly item: TurnItem }) => {
  if (item.bill === null || !isOver(item)) return null
  const { ms, usage, cost, tools } = item.bill
  const total =
    usage === null
      ? 0
      : usage.input + usage.output + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h
  const cached =
    usage === null || usage.cacheRead === 0
      ? null
      : Math.round((100 * usage.cacheRead) / (total - usage.output))
  const parts = [
    ms === null ? null : Format.duration(ms),
    usage === null ? null : Format.tokens(total),
    cost === null ? null : Format.money(cost),
    tools ? (tools === 1 ? "1 tool" : `${tools} tools`) : null,
    cached === null ? null : `${cached}% from cache`,
  ].filter((part) => part !== null)
  const title =
    usage === null
      ? undefined
      : `${usage.input} in, ${usage.output} out, ${usage.cacheRead} read from the cache, ${usage.cacheWrite5m + usage.cacheWrite1h} written to it`
  return (
    <footer className="bill" title={title}>
      {parts.join(" · ")}
    </footer>
  )
}
