/** What one sandbox may use. Every number has a holder that enforces it; `Isolation.limits` says which is in force. */
export interface Limits {
  /** Memory of all processes of a sprite together, and the data segment of each, in bytes. */
  readonly memoryBytes: number
  /** Processes and threads of a sprite. */
  readonly processes: number
  /** Largest single file, in bytes. */
  readonly fileBytes: number
  readonly openFiles: number
  /** Bytes a second that a command may write to its output before it is made to wait. */
  readonly outputBytesPerSecond: number
  /** What is kept of a session's output for those who attach later, in bytes. */
  readonly scrollbackBytes: number
  /** Commands that may run at once in one sprite. */
  readonly sessions: number
  /** CPU time of one command with all that it starts. */
  readonly cpuSeconds: number
  /** All files of a sprite together, with its checkpoints, in bytes. */
  readonly diskBytes: number
  /** Files and directories of a sprite. */
  readonly diskEntries: number
  /** What sprites leave free on the disk of the machine. */
  readonly diskReserveBytes: number
  /** A sprite that nobody uses and that computes nothing is stopped after this long. */
  readonly idleMillis: number
}

export const defaultLimits: Limits = {
  memoryBytes: 2 * 1024 ** 3,
  processes: 512,
  fileBytes: 4 * 1024 ** 3,
  openFiles: 4096,
  outputBytesPerSecond: 64 * 1024 ** 2,
  scrollbackBytes: 1024 ** 2,
  sessions: 64,
  cpuSeconds: 12 * 3600,
  diskBytes: 16 * 1024 ** 3,
  diskEntries: 1_000_000,
  diskReserveBytes: 1024 ** 3,
  idleMillis: 12 * 3600_000,
}
