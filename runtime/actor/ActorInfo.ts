/** An actor as an operator sees it. */
export interface ActorInfo {
  readonly path: string
  /** supervised: crashed, and its supervision has not yet decided or is restarting it. */
  readonly state: "starting" | "idle" | "busy" | "supervised" | "draining" | "stopping"
  readonly turn: boolean
  /** Messages that wait. */
  readonly mailbox: number
  readonly capacity: number
  readonly crashes: number
  readonly restarts: number
  readonly lastCrash: CrashInfo | undefined
}

export interface CrashInfo {
  /** Unix milliseconds. */
  readonly at: number
  readonly cause: string
}
