/** What went wrong or was done, for a moment, at the edge of the page. */
import { IconX } from "@tabler/icons-react"
import { useSyncExternalStore } from "react"
import { sentence } from "../data/Client.ts"

interface Toast {
  readonly id: number
  readonly text: string
  readonly undo?: () => void
}

let toasts: ReadonlyArray<Toast> = []
let serial = 0
const watchers = new Set<() => void>()
const set = (next: ReadonlyArray<Toast>) => {
  toasts = next
  for (const watcher of watchers) watcher()
}
const drop = (id: number) => set(toasts.filter((toast) => toast.id !== id))

export const toast = (text: string, undo?: () => void): void => {
  const id = serial++
  set([...toasts.filter((t) => t.text !== text), { id, text, ...(undo === undefined ? {} : { undo }) }])
  setTimeout(() => drop(id), 8000)
}
export const complain = (error: unknown): void => toast(sentence(error))

const watch = (watcher: () => void) => {
  watchers.add(watcher)
  return () => watchers.delete(watcher)
}

export const Toasts = () => (
  <div className="toasts" role="alert">
    {useSyncExternalStore(watch, () => toasts).map(({ id, text, undo }) => (
      <div className="toast" key={id}>
        <span>{text}</span>
        {undo === undefined ? null : (
          <button type="button" className="toast-undo" onClick={() => (drop(id), undo())}>
            Undo
          </button>
        )}
        <button type="button" className="icon-button" aria-label="Dismiss" onClick={() => drop(id)}>
          <IconX size={16} />
        </button>
      </div>
    ))}
  </div>
)
