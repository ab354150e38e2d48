import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Api, GrammyError } from "grammy"
import { TelegramEmulator } from "./index.ts"
import type { EmulatorOptions } from "./index.ts"

const scene = Effect.fnUntraced(function* (options?: EmulatorOptions) {
  const tg = yield* TelegramEmulator.start(options)
  const api = new Api(tg.bot().token, { apiRoot: tg.url })
  const eve = tg.user(1, "Eve")
  return { tg, api, eve, chat: tg.privateChat(eve) }
})

const refused = (call: Promise<unknown>) =>
  Effect.promise(() =>
    call.then(
      () => "accepted",
      (error: unknown) =>
        error instanceof GrammyError ? `${error.error_code} ${error.description}` : "no answer",
    ),
  )

describe("Telegram, emulated", () => {
  it.live("refuses text and entities in Telegram's words", () =>
    Effect.gen(function* () {
      const { api, chat } = yield* scene()
      const bold = (offset: number, length: number) => ({ type: "bold" as const, offset, length })
      const cases: ReadonlyArray<readonly [string, ReadonlyArray<ReturnType<typeof bold>>, string]> = [
        ["", [], "400 Bad Request: message text is empty"],
        [" \n ", [], "400 Bad Request: message text is empty"],
        ["x".repeat(4097), [], "400 Bad Request: message is too long"],
        ["😀".repeat(2049), [], "400 Bad Request: message is too long"],
        ["abc", [bold(1, 3)], "lies outside"],
        ["abc", [bold(-1, 2)], "lies outside"],
        ["abc", [bold(0, 0)], "lies outside"],
        ["a😀", [bold(0, 2)], "cuts a surrogate pair"],
        ["abcdef", [bold(0, 3), { ...bold(2, 3), type: "italic" as never }], "cross"],
        ["abcdef", [{ ...bold(0, 3), type: "code" as never }, bold(1, 1)], "may not be inside"],
        ["abcdef", [{ ...bold(0, 3), type: "text_link" as never }], "needs a URL"],
      ]
      for (const [text, entities, words] of cases)
        expect(yield* refused(api.sendMessage(chat.id, text, { entities: [...entities] }))).toContain(words)
      expect(yield* refused(api.sendMessage(chat.id, "x".repeat(4096)))).toBe("accepted")
      expect(yield* refused(api.sendMessage(chat.id, "x", { parse_mode: "HTML" }))).toContain("parse_mode")
    }),
  )

  it.live("gives updates until they are confirmed, in batches, and ends the first of two pollers", () =>
    Effect.gen(function* () {
      const { tg, api, eve, chat } = yield* scene()
      for (let i = 0; i < 120; i++) tg.say(chat, eve, `m${i}`)
      const ids = (offset?: number) =>
        Effect.promise(() =>
          api.getUpdates(offset === undefined ? {} : { offset }).then((list) => list.map((u) => u.update_id)),
        )
      const first = yield* ids()
      expect(first).toHaveLength(100)
      expect(yield* ids()).toEqual(first)
      expect(yield* ids(first.at(-1)! + 1)).toHaveLength(20)
      expect(yield* ids(first.at(-1)! + 21)).toEqual([])
      const waiting = yield* Effect.forkChild(refused(api.getUpdates({ timeout: 20 })))
      yield* tg.idle()
      expect(yield* refused(api.getUpdates())).toBe("accepted")
      expect(yield* Fiber.join(waiting)).toContain("409 Conflict: terminated by other getUpdates request")
    }),
  )

  it.live("answers a waiting poller at once", () =>
    Effect.gen(function* () {
      const { tg, api, eve, chat } = yield* scene()
      const poll = api.getUpdates({ timeout: 20 })
      yield* tg.idle()
      tg.say(chat, eve, "hello @troupe_bot /go https://a.b")
      const [update] = yield* Effect.promise(() => poll)
      expect(update?.message?.entities?.map(({ type }) => type)).toEqual(["mention", "bot_command", "url"])
    }),
  )

  it.live("keeps what was said before, wakes who waits for it, and shows nothing that was refused", () =>
    Effect.gen(function* () {
      const { tg, api, chat } = yield* scene()
      const changes: Array<string> = []
      const stop = tg.onMessage(({ kind, message }) => changes.push(`${kind} ${message.text}`))
      const { message_id: id } = yield* Effect.promise(() => api.sendMessage(chat.id, "…"))
      expect(yield* refused(api.editMessageText(chat.id, id, "…"))).toContain("message is not modified")
      expect(yield* refused(api.editMessageText(chat.id, id + 1, "x"))).toContain("message to edit not found")
      void api.editMessageText(chat.id, id, "done")
      const seen = yield* tg.waitFor(chat, (all) => all.some(({ text }) => text === "done"))
      stop()
      expect(seen).toMatchObject([{ text: "done", edits: ["…"] }])
      expect(changes).toEqual(["new …", "edit done"])
      expect([tg.calls("sendMessage"), tg.calls("editMessageText")]).toEqual([1, 3])
      expect(yield* Effect.flip(tg.waitFor(chat, () => false, 1))).toMatchObject({
        message: expect.stringContaining("done"),
      })
    }),
  )

  it.live("privacy mode hides from a bot what is not for it", () =>
    Effect.gen(function* () {
      const { tg, api, eve } = yield* scene({ bots: [{ token: "1:x", username: "shy_bot", privacy: true }] })
      const group = tg.group("Team")
      const { message_id: id } = yield* Effect.promise(() => api.sendMessage(group.id, "hello"))
      tg.say(group, eve, "among us")
      tg.say(group, eve, "@shy_bot hi")
      tg.say(group, eve, "/start")
      tg.say(group, eve, "thanks", { replyTo: id })
      const updates = yield* Effect.promise(() => api.getUpdates())
      expect(updates.map(({ message }) => message?.text)).toEqual(["@shy_bot hi", "/start", "thanks"])
    }),
  )

  it.live("faults: refused calls do nothing, dropped ones happen, floods count", () =>
    Effect.gen(function* () {
      const { tg, api, chat } = yield* scene()
      tg.fault("sendMessage", { kind: "refuse" })
      tg.fault("sendMessage", { kind: "drop" })
      tg.fault("sendMessage", { kind: "error", code: 500, description: "Internal Server Error" })
      for (const text of ["a", "b", "c", "d"]) yield* refused(api.sendMessage(chat.id, text))
      expect(tg.transcript(chat).map(({ text }) => text)).toEqual(["b", "d"])
      tg.flood({ globalPerSecond: 2 })
      const other = tg.group("Team")
      expect(yield* refused(api.sendMessage(chat.id, "e"))).toBe("accepted")
      expect(yield* refused(api.sendMessage(other.id, "f"))).toBe("accepted")
      expect(yield* refused(api.sendMessage(other.id, "g"))).toBe("429 Too Many Requests: retry after 1")
      tg.flood({})
      expect(yield* refused(api.sendMessage(other.id, "g"))).toBe("accepted")
    }),
  )

  it.live("refuses a wrong token and a poll beside a webhook", () =>
    Effect.gen(function* () {
      const { tg, api } = yield* scene()
      expect(yield* refused(new Api("1:no", { apiRoot: tg.url }).getMe())).toBe("401 Unauthorized")
      yield* Effect.promise(() => api.setWebhook("http://127.0.0.1:9/x", { secret_token: "s" }))
      expect(yield* refused(api.getUpdates())).toContain(
        "can't use getUpdates method while webhook is active",
      )
      expect(yield* refused(api.setWebhook("http://127.0.0.1:9/x", { secret_token: "no spaces" }))).toContain(
        "unallowed",
      )
      yield* Effect.promise(() => api.deleteWebhook())
      expect(yield* refused(api.getUpdates())).toBe("accepted")
    }),
  )

  it.live("takes a thousand questions and answers in a few seconds", () =>
    Effect.gen(function* () {
      const { tg, api, eve } = yield* scene()
      const chats = Array.from({ length: 50 }, (_, i) => tg.privateChat(tg.user(100 + i, `P${i}`)))
      for (let i = 0; i < 1_000; i++) tg.say(chats[i % 50]!, eve, `q${i}`)
      const answer = async () => {
        for (let offset = 0, taken = 0; taken < 1_000;) {
          const updates = await api.getUpdates({ offset })
          taken += updates.length
          offset = updates.at(-1)!.update_id + 1
          await Promise.all(
            updates.map(async ({ message }) => {
              const { message_id: id } = await api.sendMessage(message!.chat.id, "…")
              await api.editMessageText(message!.chat.id, id, `a to ${message!.text}`)
            }),
          )
        }
      }
      yield* Effect.promise(answer)
      for (const [i, chat] of chats.entries()) {
        const answers = tg
          .transcript(chat)
          .filter(({ from }) => from.isBot)
          .map(({ text }) => text)
        expect(new Set(answers)).toEqual(new Set(Array.from({ length: 20 }, (_, n) => `a to q${n * 50 + i}`)))
      }
    }),
  )
})
