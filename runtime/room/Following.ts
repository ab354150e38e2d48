/**
 * Words that follow from other words: the same root and principal, one hop further (P10, P13). Whoever speaks, the runtime
 * computes these; nothing of it is read from what was said.
 */
import type { Author, Message, MessageEvent } from "./Event.ts"
import type { AgentId, DoorId } from "./Id.ts"

export type Before = Pick<MessageEvent, "id" | "root" | "hop" | "principal">

export const following = (
  before: Before,
  author: Author,
  text: string,
  more: Partial<Message> = {},
): Message => ({
  kind: "message",
  author,
  text,
  mentions: [],
  attachments: [],
  replyTo: before.id,
  edits: null,
  root: before.root,
  hop: before.hop + 1,
  slots: [],
  lastLead: null,
  principal: before.principal,
  turn: null,
  ...more,
})

/** An agent, as it speaks behind a door. */
export const agentAt = (
  door: { readonly id: DoorId },
  agent: { readonly id: AgentId; readonly name: string },
): Author => ({ door: door.id, id: agent.id, name: agent.name, kind: "agent" })

/** The runtime itself, where no agent can speak. */
export const runtimeAt = (door: DoorId): Author => ({ door, id: "troupe", name: "Troupe", kind: "system" })
