import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TelegramEmulator } from "../../infra/emulators/telegram/index.ts"
import { Hooks, type Action, type Say } from "../../runtime/index.ts"
import type { AgentId, TurnId } from "../../runtime/room/Id.ts"
import { keyboard, orderOf, wordsOf } from "./Buttons.ts"
import { telegramDoor } from "./TelegramDoor.ts"
import { door, settings, testRoom } from "./testRoom.ts"

const turn = "z".repeat(20) as TurnId
const actions: ReadonlyArray<Action> = [
  { label: "Approve", order: { verb: "approve", turn, n: 999_999_999 } },
  { label: "Spend $1.00 more", order: { verb: "spend", turn, dollars: 9999.99 } },
  { label: "Continue", order: { verb: "continue" } },
]

const scene = Effect.gen(function* () {
  const tg = yield* TelegramEmulator.start()
  const room = testRoom()
  const outward = yield* telegramDoor({
    door,
    name: "chat",
    settings: settings({ url: tg.url, allow: { users: [1], chats: [] } }),
    publicUrl: null,
    services: {
      ...room,
      accept: (batch) =>
        Effect.map(room.accept(batch), (rows) => rows.map((row) => ({ ...row, outcome: "resumed @ada" }))),
    },
    pollSeconds: 5,
  }).pipe(Effect.provide(Hooks.layer))
  const group = tg.group("Team", { forum: true })
  const topic = tg.topic(group, "Builds")
  const say: Say = {
    channel: `${group.id}/${topic}`,
    text: "May I?",
    replyTo: null,
    signature: "",
    agent: "a" as AgentId,
    turn,
    part: 0,
    final: true,
    actions,
  }
  return { tg, room, outward, group, topic, say, message: Number(yield* outward.create(say)) }
})

describe("buttons", () => {
  it("say the order they stand for, whatever it is, in 64 bytes", () => {
    for (const { order } of actions) {
      const data = keyboard([{ label: "x", order }])!.inline_keyboard[0]![0]!.callback_data
      expect(Buffer.byteLength(data)).toBeLessThanOrEqual(64)
      expect(orderOf(data)).toEqual(order)
    }
    expect(actions.map(({ order }) => wordsOf(order))).toEqual(["approve", "spend $9999.99 more", "continue"])
  })

  it("mean nothing when a client made them up", () => {
    for (const data of ["", "approve:../x", "delete:1", "spend:u::1e9", "approve:u:-1", "x".repeat(64)])
      expect(orderOf(data)).toBeUndefined()
  })

  it.live("a press is an order by its presser, in the topic, and what came of it is shown to them", () =>
    Effect.gen(function* () {
      const { tg, room, group, topic, message } = yield* scene
      const toast = yield* tg.press(group, message, tg.user(1, "Eve"), "Approve")
      expect(toast).toBe("Resumed @ada.")
      expect(room.said()).toEqual([
        {
          channel: `${group.id}/${topic}`,
          title: "Team",
          sourceKey: `tg:${message}:press-press1`,
          author: { door, id: "1", name: "Eve", kind: "person" },
          text: "approve",
          attachments: [],
          mentions: [],
          direct: false,
          replyTo: { platformId: `${message}`, sourceKey: `tg:${message}:0` },
          order: { verb: "approve", turn, n: 999_999_999 },
        },
      ])
    }),
  )

  it.live("a stranger's press, and data that a client made up, say nothing in the room", () =>
    Effect.gen(function* () {
      const { tg, room, group, message } = yield* scene
      expect(yield* tg.press(group, message, tg.user(7, "Eve"), "Approve")).toMatch(/not on the list/)
      expect(yield* tg.press(group, message, tg.user(1, "Eve"), { data: "rm -rf" })).toMatch(/means nothing/)
      expect(room.said()).toEqual([])
      expect(room.inbox.size).toBe(2)
    }),
  )

  it.live("an edit without them takes them away, and a late answer to a press is no failure", () =>
    Effect.gen(function* () {
      const { tg, room, outward, group, say, message } = yield* scene
      const { actions: _, ...plain } = say
      tg.fault("answerCallbackQuery", {
        kind: "error",
        code: 400,
        description: "Bad Request: query is too old and response timeout expired or query ID is invalid",
      })
      yield* Effect.forkScoped(Effect.exit(tg.press(group, message, tg.user(1, "Eve"), "Continue")))
      yield* room.until(() => room.said().length === 1, "the press")
      yield* outward.edit({ ...plain, platformId: `${message}` })
      expect(tg.transcript(group).at(-1)).toMatchObject({ text: "May I?", buttons: [] })
    }),
  )
})
