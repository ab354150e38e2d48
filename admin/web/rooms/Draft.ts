/** What is being written in a room: kept while the person looks elsewhere. */
import { useSyncExternalStore } from "react"
import type { Words } from "./RoomState.ts"

export interface Written {
  readonly text: string
  readonly replyTo: Words | null
}

const empty: Written = { text: "", replyTo: null }

export class Draft {
  now: Written = empty
  private readonly watchers = new Set<() => void>()

  write(change: Partial<Written>): void {
    this.now = { ...this.now, ...change }
    for (const watcher of this.watchers) watcher()
  }

  clear(): void {
    this.write(empty)
  }

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }
}

const drafts = new Map<string, Draft>()

export const draftOf = (room: string): Draft => {
  const known = drafts.get(room)
  if (known !== undefined) return known
  const draft = new Draft()
  drafts.set(room, draft)
  return draft
}

export const useWritten = (draft: Draft): Written => useSyncExternalStore(draft.watch, () => draft.now)
