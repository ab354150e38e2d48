/** The dialog that opens a room. */
import { Button, Group, Modal, TextInput } from "@mantine/core"
import { useQueryClient } from "@tanstack/react-query"
import { useNavigate } from "@tanstack/react-router"
import { type FormEvent, useState, useSyncExternalStore } from "react"
import { call } from "../data/Client.ts"
import { complain } from "../ui/Toasts.tsx"

let opened = false
const watchers = new Set<() => void>()
const set = (next: boolean) => {
  opened = next
  for (const watcher of watchers) watcher()
}
export const newRoom = { open: () => set(true) }

export const NewRoom = () => {
  const open = useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => opened,
  )
  const [title, setTitle] = useState("")
  const navigate = useNavigate()
  const queries = useQueryClient()
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    try {
      const room = await call("POST /api/rooms", { body: { title: title.trim() } })
      await queries.invalidateQueries({ queryKey: ["rooms"] })
      set(false)
      setTitle("")
      await navigate({ to: "/rooms/$room", params: { room: room.id } })
    } catch (error) {
      complain(error)
    }
  }
  return (
    <Modal opened={open} onClose={() => set(false)} title="Open a room">
      <form onSubmit={(event) => void submit(event)}>
        <TextInput
          label="What is it about?"
          description="A room is one conversation. Every agent in it hears every word."
          placeholder="Launch page"
          maxLength={120}
          data-autofocus
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={() => set(false)}>
            Cancel
          </Button>
          <Button type="submit" disabled={title.trim() === ""}>
            Open room
          </Button>
        </Group>
      </form>
    </Modal>
  )
}
