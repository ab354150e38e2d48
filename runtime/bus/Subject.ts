/** Subjects are the public face of the bus (DESIGN.md section 5). Every token is one of our own ids. */
import type { Kind } from "../room/Event.ts"
import type { AgentId, DoorId, ThreadId, WorkspaceId } from "../room/Id.ts"

/** What happened in a room, stored: `troupe.<ws>.thread.<door>.<thread>.<kind>`. */
export const eventSubject = (ws: WorkspaceId, door: string, thread: string, kind: Kind) =>
  `troupe.${ws}.thread.${door}.${thread}.${kind}`
/** Everything that is stored. */
export const allEvents = (ws: WorkspaceId) => `troupe.${ws}.thread.>`
/** The words of every room behind a door. */
export const wordsOf = (ws: WorkspaceId, door: DoorId) => `troupe.${ws}.thread.${door}.*.message`
/** Everything of one room, whatever door it is behind. */
export const everythingIn = (ws: WorkspaceId, thread: ThreadId) => `troupe.${ws}.thread.*.${thread}.*`
/** Token deltas, never stored: `troupe.<ws>.live.<thread>.<agent>`. */
export const liveSubject = (ws: WorkspaceId, thread: ThreadId, agent: AgentId) =>
  `troupe.${ws}.live.${thread}.${agent}`
export const liveOf = (ws: WorkspaceId, thread: ThreadId | "*") => `troupe.${ws}.live.${thread}.*`
/** Wake-ups: whatever they tell of is committed already. */
export const controlSubject = (ws: WorkspaceId, what: "relay" | "outbox" | "stop" | "resume" | "config") =>
  `troupe.${ws}.control.${what}`
/** What outside programs ask to be said: a request per (speaker, thread), answered after the commit. */
export const sayAs = (ws: WorkspaceId, speaker: AgentId) => `troupe.${ws}.say.${speaker}`
export const sayOf = (ws: WorkspaceId, speaker: AgentId) => `troupe.${ws}.say.${speaker}.*`
export const sayAny = (ws: WorkspaceId) => `troupe.${ws}.say.*.*`
/** The stream that keeps `thread.>`. */
export const streamName = (ws: WorkspaceId) => `ROOMS_${ws}`
/** One durable consumer per agent and door. */
export const durableName = (agent: AgentId, door: DoorId) => `${agent}_${door}`
