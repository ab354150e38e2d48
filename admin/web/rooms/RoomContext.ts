/** What the parts of an open room share. */
import { createContext, useContext } from "react"
import type { Me, MemberSummary, RoomSummary } from "../../api/index.ts"
import type { Draft } from "./Draft.ts"
import type { OpenRoom } from "./OpenRoom.ts"

export interface Here {
  /** What of it does not change with every word. */
  readonly room: Pick<RoomSummary, "id" | "title" | "doorName" | "speakable">
  readonly agents: ReadonlyArray<MemberSummary>
  readonly me: Me
  readonly open: OpenRoom
  readonly draft: Draft
  /** Shows all that followed from a message. */
  readonly trace: (message: string) => void
}

export const RoomContext = createContext<Here | null>(null)
export const useHere = (): Here => useContext(RoomContext)!

export const nameIn = (agents: Here["agents"], agent: string): string =>
  agents.find(({ id }) => id === agent)?.name ?? agent
