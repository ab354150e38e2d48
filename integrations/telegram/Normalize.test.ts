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
      expect(update.guest_query_id).toBeUndefined()
      if (kind === "channel_post") {
        expect(update.chat).toEqual({ id: -5, type: "channel" })
        expect(heard.author).toMatchObject({ id: "-5", kind: "person" })
      } else {
        expect(["message", "edited_message"]).toContain(kind)
        expect(update.sender_chat).toBeUndefined()
        const bot = update.from?.is_bot === true
        // A listed chat lets in its people, not its bots.
        expect(update.from?.id === 1 || (!bot && update.chat.id === -5)).toBe(true)
        expect(heard.author).toMatchObject({ id: `${update.from?.id}`, kind: bot ? "bot" : "person" })
      }
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

test("what is no text and no file reaches the agent in words", () => {
  const { text: _, ...silent } = message
  const texts = [
    { location: { latitude: 52.520008, longitude: 13.4 } },
    {
      venue: { location: { latitude: 1, longitude: 2 }, title: "Zoo", address: "Main St 1" },
      location: { latitude: 1, longitude: 2 },
    },
    { contact: { phone_number: "+4912", first_name: "Ann", last_name: "Lee" } },
    { poll: { question: "Lunch?", options: [{ text: "Yes" }, { text: "No" }] } },
    { sticker: { file_id: "s", emoji: "👍" } },
    { voice: { file_id: "v", duration: 12 } },
    { dice: { emoji: "🎲", value: 4 } },
    { checklist: { title: "To do", tasks: [{ text: "milk", completion_date: 5 }, { text: "eggs" }] } },
    { paid_media: {} },
  ].map((more) => said({ ...silent, ...more })?.inbound.message?.text)
  expect(texts).toEqual([
    "[Location: 52.52001, 13.40000]",
    "[Place: Zoo, Main St 1 (1.00000, 2.00000)]",
    "[Contact: Ann Lee, +4912]",
    "[Poll: Lunch?]\n- Yes\n- No",
    "[Sticker 👍]",
    "[Voice message, 12 s]",
    "[🎲 4]",
    "[Checklist: To do]\n- [x] milk\n- [ ] eggs",
    "[Paid media, which a bot cannot read]",
  ])
})

test("a poll of somebody else that is forwarded is quoted as theirs", () => {
  const { text: _, ...silent } = message
  const poll = { question: "@ada lunch?", options: [{ text: "Yes" }] }
  const forward_origin = { type: "hidden_user", sender_user_name: "Boss" }
  expect(said({ ...silent, poll, forward_origin })?.inbound.message).toMatchObject({
    mentions: [],
    text: "[Forwarded from Boss: not the speaker's own words]\n> [Poll: @ada lunch?]\n> - Yes",
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
