import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Exit from "effect/Exit"
import { TelegramEmulator } from "../../infra/emulators/telegram/index.ts"
import type { Chat, Telegram, User } from "../../infra/emulators/telegram/index.ts"
import { Hooks } from "../../runtime/door/Hooks.ts"
import { telegramDoor } from "./TelegramDoor.ts"
import { door, settings, testRoom, type TestRoom } from "./testRoom.ts"

const scene = Effect.gen(function* () {
  const tg = yield* TelegramEmulator.start()
  const room = testRoom()
  const start = telegramDoor({
    door,
    name: "chat",
    settings: settings({ url: tg.url }),
    publicUrl: null,
    services: room,
    pollSeconds: 5,
  }).pipe(Effect.provide(Hooks.layer), Effect.orDie)
  const eve = tg.user(1, "Eve")
  return { tg, room, start, eve, chat: tg.privateChat(eve) }
})

const picture = (tg: Telegram, chat: Chat, from: User, n: number, album: string, caption = "") =>
  tg.sendPhoto(chat, from, {
    bytes: new Uint8Array([n]),
    caption,
    extra: { media_group_id: album },
  })
const heard = (room: TestRoom, n: number) => room.until(() => room.said().length >= n, `${n} messages`)
const shape = (room: TestRoom) =>
  room
    .said()
    .map(({ text, attachments }) => [
      text,
      attachments.flatMap(({ blob }) => (blob === null ? [] : [...room.blobs.get(blob)!.bytes])),
    ])

describe("an album", () => {
  it.live("is one message with all its pictures, known as the one with the words", () =>
    Effect.gen(function* () {
      const { tg, room, start, eve, chat } = yield* scene
      yield* start
      picture(tg, chat, eve, 1, "a")
      const main = picture(tg, chat, eve, 2, "a", "these, @ada")
      picture(tg, chat, eve, 3, "a")
      yield* heard(room, 1)
      expect(shape(room)).toEqual([["these, @ada", [1, 2, 3]]])
      expect(room.said()[0]).toMatchObject({ sourceKey: `tg:${main}:0`, mentions: ["agentada"] })
    }),
  )

  it.live("comes before what is said after it, also when its files are slow", () =>
    Effect.gen(function* () {
      const { tg, room, start, eve, chat } = yield* scene
      let open = () => {}
      tg.fault("getFile", { kind: "hold", until: new Promise<void>((resolve) => (open = resolve)) })
      yield* start
      picture(tg, chat, eve, 1, "a")
      picture(tg, chat, eve, 2, "a")
      picture(tg, chat, eve, 3, "b", "second")
      tg.say(chat, eve, "after")
      const ann = tg.user(2, "Ann")
      tg.say(tg.privateChat(ann), ann, "beside")
      yield* heard(room, 1)
      open()
      yield* heard(room, 4)
      expect(shape(room)).toEqual([
        ["beside", []],
        ["", [1, 2]],
        ["second", [3]],
        ["after", []],
      ])
    }),
  )

  it.live("that was cut off by the end of the process is said once by the next", () =>
    Effect.gen(function* () {
      const { tg, room, start, eve, chat } = yield* scene
      let open = () => {}
      tg.fault("getFile", { kind: "hold", until: new Promise<void>((resolve) => (open = resolve)) })
      const first = yield* Scope.make()
      yield* Scope.provide(start, first)
      picture(tg, chat, eve, 1, "a", "look")
      picture(tg, chat, eve, 2, "a")
      yield* room.until(() => room.inbox.size === 2, "the parts")
      yield* Scope.close(first, Exit.void)
      expect(room.said()).toEqual([])
      open()
      yield* start
      yield* heard(room, 1)
      tg.say(chat, eve, "after")
      yield* heard(room, 2)
      expect(shape(room)).toEqual([
        ["look", [1, 2]],
        ["after", []],
      ])
      expect(yield* room.waiting).toEqual([])
    }),
  )
})
