/** Find anything: pages, rooms and agents by their names, with the keyboard alone. */
import { Modal } from "@mantine/core"
import { IconMessageCircle, IconUserHexagon } from "@tabler/icons-react"
import { useQuery } from "@tanstack/react-query"
import { useNavigate } from "@tanstack/react-router"
import { type KeyboardEvent, type ReactNode, useState, useSyncExternalStore } from "react"
import { agentsQuery, roomsQuery } from "../data/Queries.ts"
import { sections } from "./Sections.ts"

let opened = false
const watchers = new Set<() => void>()
const set = (next: boolean) => {
  opened = next
  for (const watcher of watchers) watcher()
}
export const palette = { open: () => set(true), close: () => set(false) }

const watch = (watcher: () => void) => {
  watchers.add(watcher)
  return () => watchers.delete(watcher)
}

interface Choice {
  readonly key: string
  readonly label: string
  readonly about: string
  readonly icon: ReactNode
  readonly go: () => void
}

export const Palette = () => {
  const open = useSyncExternalStore(watch, () => opened)
  return (
    <Modal
      opened={open}
      onClose={palette.close}
      withCloseButton={false}
      padding={0}
      size="lg"
      yOffset="12vh"
      centered={false}
      returnFocus={false}
      transitionProps={{ duration: 0 }}
      title="Find anything"
      classNames={{ header: "sr-only" }}
    >
      <Finder />
    </Modal>
  )
}

const useChoices = (text: string): ReadonlyArray<Choice> => {
  const navigate = useNavigate()
  const rooms = useQuery(roomsQuery).data ?? []
  const agents = useQuery(agentsQuery).data ?? []
  const all: ReadonlyArray<Choice> = [
    ...rooms.map((room) => ({
      key: room.id,
      label: room.title,
      about: room.doorName,
      icon: <IconMessageCircle size={17} />,
      go: () => void navigate({ to: "/rooms/$room", params: { room: room.id } }),
    })),
    ...agents.map((agent) => ({
      key: agent.id,
      label: `@${agent.name}`,
      about: agent.title,
      icon: <IconUserHexagon size={17} />,
      go: () => void navigate({ to: "/agents/$agent", params: { agent: agent.id } }),
    })),
    ...sections.map(({ to, label, keys, icon: Icon }) => ({
      key: to,
      label,
      about: keys,
      icon: <Icon size={17} />,
      go: () => void navigate({ to }),
    })),
  ]
  const words = text.toLowerCase().split(/\s+/)
  return all
    .filter(({ label, about }) => words.every((w) => `${label} ${about}`.toLowerCase().includes(w)))
    .slice(0, 30)
}

const Finder = () => {
  const [text, setText] = useState("")
  const [chosen, setChosen] = useState(0)
  const choices = useChoices(text)
  const at = Math.min(chosen, Math.max(0, choices.length - 1))
  const take = (choice: Choice | undefined) => {
    palette.close()
    choice?.go()
  }
  const key = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) {
      event.preventDefault()
      setChosen((at + step + choices.length) % Math.max(1, choices.length))
    }
    if (event.key === "Enter") {
      event.preventDefault()
      take(choices[at])
    }
  }
  return (
    <div className="palette">
      <input
        data-autofocus
        aria-label="Find rooms, agents and pages"
        placeholder="Find rooms, agents and pages"
        value={text}
        role="combobox"
        aria-expanded="true"
        aria-controls="found"
        aria-activedescendant={`found-${at}`}
        onChange={(event) => {
          setText(event.currentTarget.value)
          setChosen(0)
        }}
        onKeyDown={key}
      />
      <ul id="found" role="listbox" aria-label="Found">
        {choices.map((choice, i) => (
          <li
            key={choice.key}
            id={`found-${i}`}
            role="option"
            aria-selected={i === at}
            onMouseMove={() => setChosen(i)}
            onClick={() => take(choice)}
          >
            {choice.icon}
            <span>{choice.label}</span>
            <small>{choice.about}</small>
          </li>
        ))}
      </ul>
      {choices.length === 0 ? <p>Nothing is called that.</p> : null}
    </div>
  )
}
