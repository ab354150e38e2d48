import type { Tail } from "./ConversationStore.ts"

/** The transcript as far as it is in memory: undefined when it was not read yet, null when there is none. */
export interface Memory {
  readonly tail: Tail | null | undefined
  readonly tokens: number | undefined
}

export const unread: Memory = { tail: undefined, tokens: undefined }
