/** What a channel has to say: its letters, and which call each needs. See Channel. */
import type { TurnId } from "../room/Id.ts"
import type { CallKind } from "./Flood.ts"
import type { Action, Parcel } from "./Parcel.ts"

export interface Letter {
  parcel: Parcel
  platformId: string | null
  text: string | null
  /** What the running turn has said so far, and what of it is shown. */
  live: string
  shown: string
  /** Progress is not shown before this time. */
  showAt: number
  /** Until then it waits for final words. */
  readonly createAt: number
  split: boolean
}

/** Words whose buttons are answered, as they are to stand now. */
export interface Settling {
  readonly parcel: Parcel
  readonly text: string
}

export type Next =
  | { readonly job: "create" | "final" | "progress"; readonly letter: Letter }
  | { readonly job: "settle"; readonly settling: Settling }

/** What is shown until there are words. */
export const placeholder = "…"
/** When a message may be said for the first time. */
export const createAt = (letter: Letter): number => (letter.text === null ? letter.createAt : 0)
/** Stands below the words of a running turn. */
export const stopIt = (turn: TurnId): Action => ({ label: "Stop", order: { verb: "stop", turn } })
export const kindOf = (next: Next): CallKind =>
  next.job === "settle" || next.job === "progress"
    ? "progress"
    : next.job === "create" && next.letter.text === null
      ? "create"
      : "final"
