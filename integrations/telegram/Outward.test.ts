import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TelegramEmulator } from "../../infra/emulators/telegram/index.ts"
import type { EmulatorOptions } from "../../infra/emulators/telegram/index.ts"
import { Hooks } from "../../runtime/door/Hooks.ts"
import type { Say } from "../../runtime/door/Outward.ts"
import type { Attachment } from "../../runtime/room/Event.ts"
import type { AgentId, BlobId, TurnId } from "../../runtime/room/Id.ts"
import { telegramDoor } from "./TelegramDoor.ts"
import { door, settings, testRoom } from "./testRoom.ts"

const scene = Effect.fnUntraced(function* (options: EmulatorOptions & { readonly token?: string } = {}) {
  const tg = yield* TelegramEmulator.start(options)
  const room = testRoom()
  const own = settings({ url: tg.url, ...(options.token === undefined ? {} : { token: options.token }) })
  const outward = yield* telegramDoor({
    door,
    name: "chat",
    settings: own,
    publicUrl: null,
    services: room,
    pollSeconds: 5,
  }).pipe(Effect.provide(Hooks.layer))
  const eve = tg.user(1, "Eve")
  return { tg, room, outward, eve, chat: tg.privateChat(eve) }
})

const say = (channel: number | string, text: string, more: Partial<Say> = {}): Say => ({
  channel: `${channel}`,
  text,
  replyTo: null,
  signature: "",
  agent: "a" as AgentId,
  turn: "u" as TurnId,
  part: 0,
  final: true,
  ...more,
})

describe("saying", () => {
  it.live("a placeholder becomes the answer by edits, in one message that answers the question", () =>
    Effect.gen(function* () {
      const { tg, outward, eve, chat } = yield* scene()
      const question = tg.say(chat, eve, "how?")
      const platformId = yield* outward.create(say(chat.id, "…", { replyTo: `${question}` }))
      yield* outward.edit({ ...say(chat.id, "Let me"), platformId })
      yield* outward.edit({ ...say(chat.id, "Let me **see**"), platformId })
      const [, answer] = tg.transcript(chat)
      expect(answer).toMatchObject({
        id: Number(platformId),
        replyTo: question,
        text: "Let me see",
        entities: [{ type: "bold", offset: 7, length: 3 }],
        edits: ["…", "Let me"],
      })
      expect([tg.calls("sendMessage"), tg.calls("editMessageText")]).toEqual([1, 2])
    }),
  )

  it.live("the same edit again is a success", () =>
    Effect.gen(function* () {
      const { tg, outward, chat } = yield* scene()
      const platformId = yield* outward.create(say(chat.id, "…"))
      const edit = outward.edit({ ...say(chat.id, "*done*  \n"), platformId })
      yield* edit
      yield* edit
      expect(tg.transcript(chat)[0]?.edits).toEqual(["…"])
    }),
  )

  it.live("several agents sign with their name in bold, and emoji do not shift what follows", () =>
    Effect.gen(function* () {
      const { tg, outward, chat } = yield* scene()
      yield* outward.create(say(chat.id, "hi `x`", { signature: "Ada 👩‍💻" }))
      expect(tg.transcript(chat)[0]).toMatchObject({
        text: "Ada 👩‍💻\nhi x",
        entities: [
          { type: "bold", offset: 0, length: 9 },
          { type: "code", offset: 13, length: 1 },
        ],
      })
    }),
  )

  it.live("a topic's answer is said in the topic, and beside it when the topic is closed or gone", () =>
    Effect.gen(function* () {
      const { tg, outward } = yield* scene()
      const forum = tg.group("Forum", { forum: true })
      const topic = tg.topic(forum, "Builds")
      yield* outward.create(say(`${forum.id}/${topic}`, "inside"))
      forum.closed.add(topic)
      yield* outward.create(say(`${forum.id}/${topic}`, "closed"))
      forum.topics.delete(topic)
      yield* outward.create(say(`${forum.id}/${topic}`, "outside"))
      expect(tg.transcript(forum).map((seen) => [seen.text, seen.topic])).toEqual([
        ["inside", topic],
        ["closed", null],
        ["outside", null],
      ])
    }),
  )

  it.live("a file takes the place of the placeholder, the same again is no second one", () =>
    Effect.gen(function* () {
      const { tg, room, outward, chat } = yield* scene()
      const file = (kind: Attachment["kind"], name: string, bytes: Uint8Array): Attachment => {
        const blob = `blob${room.blobs.size}` as BlobId
        room.blobs.set(blob, { bytes, mime: "image/png", name })
        return { kind, name, mime: "image/png", size: bytes.length, blob }
      }
      const show = Effect.fnUntraced(function* (text: string, shown: Attachment) {
        const platformId = yield* outward.create(say(chat.id, "…"))
        yield* outward.edit({ ...say(chat.id, text, { file: shown, signature: "Ada" }), platformId })
        yield* outward.edit({ ...say(chat.id, text, { file: shown, signature: "Ada" }), platformId })
      })
      yield* show("a **chart**", file("photo", "chart.png", new Uint8Array([0x89, 1])))
      yield* show("broken.png", file("photo", "broken.png", new Uint8Array([7])))
      yield* show("report.pdf", {
        ...file("document", "report.pdf", new Uint8Array([8])),
        blob: "no" as BlobId,
      })
      const seen = tg.transcript(chat)
      expect(seen.map(({ text, file }) => [text, file?.kind, file?.stored.name])).toEqual([
        ["Ada\na chart", "photo", "chart.png"],
        ["Ada", "document", "broken.png"],
        [
          "Ada\n(report.pdf could not be sent here: it is not kept any more. It is on Troupe's page.)",
          undefined,
          undefined,
        ],
      ])
      expect([...seen[0]!.file!.stored.bytes]).toEqual([0x89, 1])
      expect(seen[0]!.entities).toContainEqual({ type: "bold", offset: 6, length: 5 })
    }),
  )

  it.live("parts of a long answer are read joined as the answer", () =>
    Effect.gen(function* () {
      const { tg, outward, chat } = yield* scene()
      const answer = Array.from({ length: 3000 }, (_, i) => `Sentence ${i} 語😀.`).join(" ")
      for (const [i, part] of outward.split(answer).entries())
        yield* outward.create(say(chat.id, part, { signature: i === 0 ? "Ada" : "" }))
      const read = tg.transcript(chat).map(({ text }) => text)
      expect(read.length).toBe(outward.split(answer).length)
      expect(read.join(" ")).toBe(`Ada\n${answer}`)
    }),
  )

  it.live("progress that outgrows a message shows what fits", () =>
    Effect.gen(function* () {
      const { tg, outward, chat } = yield* scene()
      const platformId = yield* outward.create(say(chat.id, "…", { signature: "Ada" }))
      yield* outward.edit({ ...say(chat.id, "word ".repeat(2_000), { signature: "Ada" }), platformId })
      expect(tg.transcript(chat)[0]?.text.length).toBeGreaterThan(3_900)
    }),
  )

  it.live("words of nothing but space are shown as a placeholder", () =>
    Effect.gen(function* () {
      const { tg, outward, chat } = yield* scene()
      yield* outward.create(say(chat.id, " \n "))
      expect(tg.transcript(chat)[0]?.text).toBe("…")
    }),
  )

  it.live("entities that Telegram refuses are left out, the words are not", () =>
    Effect.gen(function* () {
      const { tg, outward, chat } = yield* scene()
      tg.fault("sendMessage", {
        kind: "error",
        code: 400,
        description: "Bad Request: can't parse entities: unsupported",
      })
      yield* outward.create(say(chat.id, "a **b**"))
      expect(tg.transcript(chat)[0]).toMatchObject({ text: "a b", entities: [] })
    }),
  )

  it.live("groups are edited less often than private chats", () =>
    Effect.gen(function* () {
      const { outward } = yield* scene()
      expect([outward.progressEvery("1"), outward.progressEvery("-100/5")]).toEqual([1_000, 3_000])
    }),
  )
})

describe("what goes wrong", () => {
  it.live(
    "a flood limit is a delay of its chat, and of the account when a second chat is told the same",
    () =>
      Effect.gen(function* () {
        const { tg, outward, chat } = yield* scene()
        const group = tg.group("Team")
        const flood = {
          kind: "error",
          code: 429,
          description: "Too Many Requests: retry after 7",
          retryAfter: 7,
        } as const
        tg.fault("sendMessage", flood, 3)
        const first = yield* Effect.flip(outward.create(say(chat.id, "x")))
        const again = yield* Effect.flip(outward.create(say(chat.id, "x")))
        const second = yield* Effect.flip(outward.create(say(group.id, "x")))
        expect(
          [first, again, second].map(({ verdict, afterMs, everywhere }) => [verdict, afterMs, everywhere]),
        ).toEqual([
          ["retry", 7_000, false],
          ["retry", 7_000, false],
          ["retry", 7_000, true],
        ])
      }),
  )

  it.live("the emulator's own limits answer as Telegram's do", () =>
    Effect.gen(function* () {
      const { tg, outward, chat } = yield* scene()
      tg.flood({ perChatPerSecond: 1 })
      yield* outward.create(say(chat.id, "x"))
      expect(yield* Effect.flip(outward.create(say(chat.id, "y")))).toMatchObject({
        verdict: "retry",
        afterMs: 1_000,
        everywhere: false,
      })
      expect(tg.transcript(chat)).toHaveLength(1)
    }),
  )

  it.live("a chat that is gone is gone, a message that is gone is lost", () =>
    Effect.gen(function* () {
      const { tg, outward, eve, chat } = yield* scene()
      const group = tg.group("Team")
      const mine = yield* outward.create(say(chat.id, "x"))
      const theirs = tg.say(chat, eve, "y")
      tg.remove(chat, Number(mine))
      const lost = [
        outward.edit({ ...say(chat.id, "z"), platformId: mine }),
        outward.edit({ ...say(chat.id, "z"), platformId: `${theirs}` }),
      ]
      for (const edit of lost) expect(yield* Effect.flip(edit)).toMatchObject({ verdict: "lost" })
      tg.bar(group)
      expect(yield* Effect.flip(outward.create(say(group.id, "x")))).toMatchObject({
        verdict: "gone",
        message: "Telegram refused sendMessage: Forbidden: bot was kicked from the supergroup chat (403).",
      })
      tg.bar(chat)
      expect(yield* Effect.flip(outward.create(say(chat.id, "x")))).toMatchObject({ verdict: "gone" })
      expect(yield* Effect.flip(outward.create(say(999, "x")))).toMatchObject({ verdict: "gone" })
    }),
  )

  it.live("an answer to a deleted question is said all the same", () =>
    Effect.gen(function* () {
      const { tg, outward, eve, chat } = yield* scene()
      const question = tg.say(chat, eve, "how?")
      tg.remove(chat, question)
      yield* outward.create(say(chat.id, "so", { replyTo: `${question}` }))
      expect(tg.transcript(chat)).toMatchObject([{ text: "so", replyTo: null }])
    }),
  )

  it.live("errors of the server and lost connections are tried again later, and name no token", () =>
    Effect.gen(function* () {
      const { tg, outward, chat } = yield* scene()
      tg.fault("sendMessage", { kind: "error", code: 502, description: "Bad Gateway" })
      tg.fault("sendMessage", { kind: "refuse" })
      tg.fault("sendMessage", { kind: "drop" })
      for (let i = 0; i < 3; i++) {
        const error = yield* Effect.flip(outward.create(say(chat.id, `try ${i}`)))
        expect(error).toMatchObject({ verdict: "retry", everywhere: false })
        expect(JSON.stringify([error, error.message, error.stack, error.cause])).not.toContain("emulated")
      }
      expect(tg.transcript(chat).map(({ text }) => text)).toEqual(["try 2"])
    }),
  )

  it.live("a wrong token holds back the whole account", () =>
    Effect.gen(function* () {
      const { outward, chat } = yield* scene({ token: "1000:wrong" })
      expect(yield* Effect.flip(outward.create(say(chat.id, "x")))).toMatchObject({
        verdict: "retry",
        everywhere: true,
      })
    }),
  )

  it.live("a group that moved is followed, and the move is reported", () =>
    Effect.gen(function* () {
      const { tg, room, outward } = yield* scene()
      const group = tg.group("Team", { type: "group" })
      const old = tg.migrate(group)
      const platformId = yield* outward.create(say(old, "…"))
      yield* outward.edit({ ...say(old, "here"), platformId })
      expect(tg.transcript(group)).toMatchObject([{ text: "here" }])
      expect(room.moves).toContainEqual([old, group.id])
    }),
  )
})
