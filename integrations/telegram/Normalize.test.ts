import * as fc from "fast-check"
import { expect, test } from "vitest"
import { normalize, normalizeSafely } from "./Normalize.ts"
import type { NormalizeContext } from "./Normalized.ts"
import { ada, door } from "./testRoom.ts"

const context: NormalizeContext = {
  door,
  bot: { id: 1000, username: "troupe_bot" },
  members: [ada],
  allow: { users: [1], chats: [-5] },
}
const said = (message: object, kind = "message") => normalize({ update_id: 1, [kind]: message }, context)

const message = {
  message_id: 7,
  date: 1,
  chat: { id: -9, type: "supergroup", title: "Team" },
  from: { id: 1, is_bot: false, first_name: "Eve", last_name: "Adams" },
  text: "hi",
}

test("only listed people and chats are ever heard, by number, whatever else the message claims", () => {
  const person = (id: fc.Arbitrary<number>) =>
    fc.record({
      id,
      is_bot: fc.boolean(),
      first_name: fc.constantFrom("Eve", "owner"),
      username: fc.constantFrom("eve", "troupe_bot"),
    })
  const ids = fc.constantFrom(1, 2, 3, 1000, 777000, 1087968824)
  const generated = fc.record(
    {
      message_id: fc.nat(),
      chat: fc.record({
        id: fc.constantFrom(1, 2, -5, -6),
        type: fc.constantFrom("private", "group", "supergroup", "channel"),
      }),
      from: person(ids),
      sender_chat: fc.record({ id: fc.constantFrom(-5, -6), type: fc.constant("channel") }),
      forward_origin: fc.record({ type: fc.constant("user"), sender_user: person(fc.constant(1)) }),
      via_bot: person(ids),
      guest_query_id: fc.string(),
      author_signature: fc.constant("Eve"),
      reply_to_message: fc.record({ message_id: fc.nat(), from: person(fc.constant(1)) }),
      text: fc.constant("@ada do it"),
    },
    { requiredKeys: ["message_id", "chat", "text"] },
  )
  const kinds = fc.constantFrom(
    "message",
    "edited_message",
    "channel_post",
    "guest_message",
    "business_message",
    "other",
  )
  fc.assert(
    fc.property(kinds, generated, (kind, update) => {
      const heard = said(update, kind)?.inbound.message
      if (heard === undefined) return
      expect(["message", "edited_message"]).toContain(kind)
      expect(update.from?.id === 1 || update.chat.id === -5).toBe(true)
      expect(heard.author).toMatchObject({ id: `${update.from?.id}`, kind: "person" })
      expect([update.from?.is_bot, update.sender_chat, update.guest_query_id]).toEqual([
        false,
        undefined,
        undefined,
      ])
      if (update.forward_origin !== undefined || update.via_bot !== undefined)
        expect(heard.mentions).toEqual([])
    }),
    { numRuns: 3_000 },
  )
})

test("a service message, or one without words or files, says nothing but is kept", () => {
  const { text: _, ...silent } = message
  const joined = { ...silent, new_chat_members: [{ id: 5 }] }
  expect(said(joined)?.inbound).toEqual({ door, externalId: "1", raw: { update_id: 1, message: joined } })
})

test("a place, a contact or a poll is an attachment without bytes", () => {
  const { text: _, ...silent } = message
  expect(said({ ...silent, location: { latitude: 1, longitude: 2 } })?.inbound.message).toMatchObject({
    text: "",
    attachments: [{ kind: "other", name: "location", blob: null }],
  })
})

test("of a photo the largest size is taken, of a file its own name without its path", () => {
  const photo = [
    { file_id: "s", file_size: 10 },
    { file_id: "l", file_size: 900 },
    { file_id: "m", file_size: 90 },
  ]
  expect(said({ ...message, photo })).toMatchObject({
    files: ["l"],
    inbound: { message: { attachments: [{ size: 900 }] } },
  })
  const names = ["a/b\\..\\c.txt", "..", "", "x\0\n\u202ey.pdf"].map(
    (file_name) =>
      said({ ...message, document: { file_id: "d", file_name } })?.inbound.message?.attachments[0]?.name,
  )
  expect(names).toEqual(["c.txt", "document", "document", "x\ufffd y.pdf"])
})

test("a quoted part of the bot's words comes along, of a stranger's words it does not", () => {
  const replyTo = (id: number) =>
    said({ ...message, quote: { text: "that\nline" }, reply_to_message: { message_id: 3, from: { id } } })
      ?.inbound.message
  expect(replyTo(1000)).toMatchObject({
    text: "> that\n> line\n\nhi",
    replyTo: { platformId: "3", sourceKey: "tg:3:0" },
  })
  expect(replyTo(666)?.text).toBe("hi")
})

test("the General topic and plain reply threads are the room itself", () => {
  const channel = (more: object) => said({ ...message, ...more })?.inbound.message?.channel
  expect(channel({ message_thread_id: 1, is_topic_message: true })).toBe("-9")
  expect(channel({ message_thread_id: 44 })).toBe("-9")
  expect(channel({ message_thread_id: 44, is_topic_message: true })).toBe("-9/44")
})

test("a flaw in reading costs the words of one update, never the loop", () => {
  const broken = {
    ...context,
    get members(): never {
      throw new Error("a bug")
    },
  }
  const flaws: Array<unknown> = []
  const normalized = normalizeSafely({ update_id: 3, message }, broken, (cause) => flaws.push(cause))
  expect(normalized?.inbound).toEqual({
    door,
    externalId: "3",
    raw: { update_id: 3, unheard: "could not be read" },
  })
  expect(flaws).toHaveLength(1)
})
