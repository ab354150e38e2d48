/**
 * How the room's words are written for the model: one text block a message, `<message from id role>`, its own markup made
 * harmless, so that nobody can speak as another (P13). Untrusted text is data between these tags, and the house rules say so.
 */
import type { Block } from "../../../integrations/anthropic/index.ts"
import type { Agent, Attachment, MessageEvent, UnderWay } from "../../../runtime/index.ts"

export const textBlock = (text: string): Block => ({ type: "text", text })

/** One message of the room. `note` says why it is here, where that is not obvious. */
export const messageBlock = (event: MessageEvent, note?: string): Block => {
  const { author } = event
  const attributes = [
    `from="${attribute(author.name)}"`,
    `id="${attribute(author.id)}"`,
    `role="${author.kind}"`,
    ...(note === undefined ? [] : [`note="${attribute(note)}"`]),
  ]
  const files = event.attachments.map(
    (a) => `\n<file name="${attribute(a.name)}" type="${attribute(a.mime)}" size="${a.size}"/>`,
  )
  return textBlock(`<message ${attributes.join(" ")}>${content(event.text)}${files.join("")}</message>`)
}

/** Who is here, and what this turn is about: in the newest user message, never in the system prompt. */
export const roomBlock = (room: {
  readonly self: Agent
  readonly others: ReadonlyArray<Agent>
  readonly under: ReadonlyArray<UnderWay>
  readonly at: string
  readonly reason: string
}): Block => {
  const others = room.others.map((a) => `@${a.name} (${attribute(a.title)})`).join(", ")
  const names = new Map(room.others.map((a) => [a.id, a.name]))
  const work = room.under.map(
    (u) =>
      `\n@${names.get(u.agent) ?? u.agent} ${u.state === "running" ? "works on" : "waits with"} what ${content(u.asker)} said: "${content(u.words)}"` +
      (u.did.length === 0 ? "" : `; last it ran: ${u.did.map((d) => content(d)).join("; ")}`),
  )
  return textBlock(
    `<room at="${room.at}" you="@${room.self.name}" others="${others === "" ? "none" : others}">` +
      `You answer the last message below: ${content(room.reason)}.${work.join("")}</room>`,
  )
}

/** Pictures the model can look at. */
export const seesImage = (a: Attachment): boolean =>
  visible.has(a.mime) && a.size <= largestImage && a.blob !== null

const visible = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"])
const largestImage = 3_700_000

const content = (text: string) => text.replaceAll(/<(?=\/?(message|room|file)\b)/gi, "&lt;")
const attribute = (text: string) =>
  text
    .replaceAll(/\p{Cc}/gu, " ")
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;")
