/**
 * What a person says on the page, as a delivery of the web door. The words' own id makes them one message however often
 * they are sent; identity is the person's id, never the name.
 */
import {
  type Author,
  type DoorId,
  type EventId,
  type Inbound,
  type Mode,
  type Order,
  mentionsIn,
  type ThreadId,
} from "../../runtime/index.ts"

export interface Speaker {
  readonly id: string
  readonly name: string
}

/** Whoever came in by the link that was printed at start. */
export const owner: Speaker = { id: "owner", name: "Owner" }

export interface Spoken {
  readonly id: string
  readonly text: string
  readonly replyTo?: EventId
  readonly order?: Order
  readonly mode?: Mode
}

/** NUL and lone surrogates have no place in Postgres. */
export const clean = (text: string): string => text.replaceAll("\u0000", "").toWellFormed()

/** The room, and the door it is behind; words from the page can be orders to a room behind another door. */
export interface Place {
  readonly web: DoorId
  readonly door: DoorId
  readonly room: ThreadId
  readonly channel: string
  readonly title: string
}

export const spoken = (
  where: Place,
  speaker: Speaker,
  words: Spoken,
  members: Parameters<typeof mentionsIn>[1],
): Inbound => {
  const text = clean(words.text)
  const author: Author = { door: where.web, id: speaker.id, name: speaker.name, kind: "person" }
  return {
    door: where.door,
    externalId: `${where.room}:${words.id}`,
    raw: words,
    message: {
      channel: where.channel,
      title: where.title,
      sourceKey: `web:${words.id}`,
      author,
      text,
      attachments: [],
      mentions: mentionsIn(text, members),
      direct: true,
      ...(words.replyTo === undefined ? {} : { replyTo: { event: words.replyTo } }),
      ...(words.order === undefined ? {} : { order: words.order }),
      ...(words.mode === undefined ? {} : { mode: words.mode }),
    },
  }
}
