/** Asks before something that cannot be undone. */
import { Button, Group, Modal } from "@mantine/core"
import { type ReactNode, useState } from "react"
import { complain } from "./Toasts.tsx"

export const Confirm = ({
  label,
  title,
  children,
  act,
}: {
  readonly label: string
  readonly title: string
  readonly children: ReactNode
  readonly act: () => Promise<unknown>
}) => {
  const [open, setOpen] = useState(false)
  const [busy, setBusy] = useState(false)
  const go = async () => {
    setBusy(true)
    try {
      await act()
      setOpen(false)
    } catch (error) {
      complain(error)
    }
    setBusy(false)
  }
  return (
    <>
      <button type="button" className="text-button" data-tone="bad" onClick={() => setOpen(true)}>
        {label}
      </button>
      <Modal opened={open} onClose={() => setOpen(false)} title={title}>
        {children}
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={() => setOpen(false)}>
            Keep it
          </Button>
          <Button className="bad-button" loading={busy} onClick={() => void go()}>
            {label}
          </Button>
        </Group>
      </Modal>
    </>
  )
}
