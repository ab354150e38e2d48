/**
 * What a person says on the page, as a delivery of the web door. The words' own id makes them one message however often
 * they are sent; identity is the person's id, never the name.
 */
import {
  type Author,
  type DoorId,
  type EventId,
  type Inbound,
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
}

/** NUL and lone surrogates have no place in Postgres. */
export const clean = (text: string): string => text.replaceAll("\u0000", "").toWellFormed()

export const spoken = (
  where: { readonly door: DoorId; readonly room: ThreadId; readonly title: string },
  speaker: Speaker,
  words: Spoken,
  members: Parameters<typeof mentionsIn>[1],
): Inbound => {
  const text = clean(words.text)
  const author: Author = { door: where.door, id: speaker.id, name: speaker.name, kind: "person" }
  return {
    door: where.door,
    externalId: `${where.room}:${words.id}`,
    raw: words,
    message: {
      channel: where.room,
      title: where.title,
      sourceKey: `web:${words.id}`,
      author,
      text,
      attachments: [],
      mentions: mentionsIn(text, members),
      direct: true,
      ...(words.replyTo === undefined ? {} : { replyTo: { event: words.replyTo } }),
    },
  }
}
