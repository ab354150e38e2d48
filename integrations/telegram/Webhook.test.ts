import { describe, expect, it } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Redacted from "effect/Redacted"
import * as fc from "fast-check"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { TelegramEmulator } from "../../infra/emulators/telegram/index.ts"
import { Hooks } from "../../runtime/door/Hooks.ts"
import { telegramDoor } from "./TelegramDoor.ts"
import { door, settings, testRoom } from "./testRoom.ts"

const secret = "s3cret_-token"

/** The hooks on a real socket, as the product's server hangs them. */
const serve = Effect.fnUntraced(function* (hooks: Hooks["Service"]) {
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const hook = hooks.find(request.url?.split("/").at(-1) ?? "")
      const headers = request.headers as Record<string, string | undefined>
      if (hook === undefined) return void response.writeHead(404).end()
      void Effect.runPromise(hook.handler({ headers, body: Buffer.concat(chunks) })).then(
        ({ status, body }) => response.writeHead(status).end(body),
      )
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.sync(() => void server.close().closeAllConnections()),
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

const scene = (look?: { readonly every: Duration.Input }) =>
  Effect.gen(function* () {
    const tg = yield* TelegramEmulator.start({ webhookRetryMs: 20 })
    const room = testRoom()
    const hooks = yield* Hooks
    const publicUrl = `${yield* serve(hooks)}/`
    const own = settings({ url: tg.url, mode: "webhook", secret: Redacted.make(secret) })
    yield* telegramDoor({
      door,
      name: "team-chat",
      settings: own,
      publicUrl,
      services: room,
      ...(look === undefined ? {} : { lookEvery: look.every }),
    })
    yield* room.until(() => room.states.at(-1)?._tag === "connected", "connected")
    const call = (
      body: string | Uint8Array,
      headers: Record<string, string> = { "x-telegram-bot-api-secret-token": secret },
    ) =>
      hooks.find("team-chat")!.handler({ headers, body: typeof body === "string" ? Buffer.from(body) : body })
    return { tg, room, call, url: `${publicUrl}hooks/team-chat` }
  }).pipe(Effect.provide(Hooks.layer))

const update = (id: number, text: string) =>
  JSON.stringify({
    update_id: id,
    message: {
      message_id: id,
      date: 1,
      chat: { id: 1, type: "private" },
      from: { id: 1, is_bot: false, first_name: "Eve" },
      text,
    },
  })

describe("the webhook", () => {
  it.live("is registered with its secret, and what people say arrives", () =>
    Effect.gen(function* () {
      const { tg, room, url } = yield* scene()
      expect(tg.bot().updates.webhook).toEqual({ url, secret })
      const eve = tg.user(1, "Eve")
      const chat = tg.privateChat(eve)
      tg.say(chat, eve, "one")
      tg.sendDocument(chat, eve, { bytes: Buffer.from("x"), caption: "two" })
      tg.say(chat, eve, "three")
      yield* room.until(() => room.said().length === 3, "three messages")
      expect(room.texts()).toEqual(["one", "two", "three"])
      expect(room.said()[1]?.attachments[0]?.blob).toBe("blob0")
    }),
  )

  it.live("answers 401 to whoever does not know the secret, before it reads a word", () =>
    Effect.gen(function* () {
      const { room, call } = yield* scene()
      const wrong = ["", "wrong", secret.slice(0, -1), `${secret}x`, secret.toUpperCase()]
      for (const token of wrong) {
        const headers = { "x-telegram-bot-api-secret-token": token }
        expect((yield* call(update(1, "x"), headers)).status).toBe(401)
        expect((yield* call("{nonsense", headers)).status).toBe(401)
      }
      expect((yield* call(update(1, "x"), {})).status).toBe(401)
      expect(room.batches).toEqual([])
    }),
  )

  it.live("answers 400 to what is no update, and 413 to what is too long", () =>
    Effect.gen(function* () {
      const { room, call } = yield* scene()
      for (const body of [
        "",
        "{",
        "null",
        "[]",
        "7",
        '"x"',
        "{}",
        '{"update_id":"1"}',
        '{"update_id":1.5}',
        '{"update_id":1e300}',
      ])
        expect([body, (yield* call(body)).status]).toEqual([body, 400])
      expect((yield* call(new Uint8Array(1024 * 1024 + 1))).status).toBe(413)
      expect(room.batches).toEqual([])
    }),
  )

  it.live("stores kinds that it does not know, and broken ones, and answers 200", () =>
    Effect.gen(function* () {
      const { room, call } = yield* scene()
      const bodies = [
        '{"update_id":1,"telepathy":{"thought":"a\\u0000b"}}',
        '{"update_id":2}',
        '{"update_id":3,"message":null}',
        '{"update_id":4,"message":{"chat":"?"}}',
        '{"update_id":5,"message":{"message_id":1,"chat":{"id":1,"type":"private"},"from":{"id":1,"is_bot":false,"first_name":7}}}',
        '{"update_id":6,"my_chat_member":{"chat":{"id":1}}}',
      ]
      for (const body of bodies) expect((yield* call(body)).status).toBe(200)
      const deep = `{"update_id":7,"x":${"[".repeat(200_000)}${"]".repeat(200_000)}}`
      expect((yield* call(deep)).status).toBe(200)
      expect(JSON.stringify(room.inbox.get("7")?.raw).length).toBeLessThan(300)
      expect([...room.inbox.keys()]).toEqual(["1", "2", "3", "4", "5", "6", "7"])
      expect(room.inbox.get("1")?.raw).toEqual({ update_id: 1, telepathy: { thought: "a\ufffdb" } })
      expect(room.said()).toEqual([])
    }),
  )

  it.live("answers 503 while the store is gone, and Telegram's next try is taken once", () =>
    Effect.gen(function* () {
      const { tg, room } = yield* scene()
      const eve = tg.user(1, "Eve")
      const chat = tg.privateChat(eve)
      room.down = "unavailable"
      tg.say(chat, eve, "one")
      tg.say(chat, eve, "two")
      yield* room.until(() => room.batches.length >= 2, "two tries")
      expect(room.states.at(-1)?._tag).toBe("failing")
      room.down = null
      yield* room.until(() => room.said().length === 2, "two messages")
      expect(room.texts()).toEqual(["one", "two"])
      expect(tg.bot().updates.webhookAnswers.slice(0, 1)).toEqual([503])
      expect(room.states.at(-1)?._tag).toBe("connected")
    }),
  )

  it.live("is set again when somebody else took it, and says what keeps Telegram out", () =>
    Effect.gen(function* () {
      const { tg, room, url } = yield* scene({ every: "50 millis" })
      const { updates } = tg.bot()
      updates.setWebhook({ url: "https://elsewhere.example", secret: null }, false)
      yield* tg.called(() => updates.webhook?.url === url)
      const eve = tg.user(1, "Eve")
      updates.setWebhook({ url, secret: "wrong" }, false)
      tg.say(tg.privateChat(eve), eve, "hello?")
      yield* room.until(
        () => JSON.stringify(room.states.at(-1)).includes("Wrong response from the webhook: 401"),
        "the reason",
      )
      expect(room.states.at(-1)?._tag).toBe("failing")
      updates.setWebhook({ url, secret }, false)
      yield* room.until(() => room.said().length === 1, "the message")
      yield* room.until(() => room.states.at(-1)?._tag === "connected", "connected")
    }),
  )

  it.live(
    "and polling take over from each other, also with a new secret, and nothing is lost or doubled",
    () =>
      Effect.gen(function* () {
        const tg = yield* TelegramEmulator.start({ webhookRetryMs: 20 })
        const room = testRoom()
        const eve = tg.user(1, "Eve")
        const chat = tg.privateChat(eve)
        const modes = ["polling", "first-secret", "second-secret", "polling"]
        for (const [i, mode] of modes.entries()) {
          const scope = yield* Scope.make()
          const hooks = yield* Scope.provide(Effect.map(Layer.build(Hooks.layer), Context.get(Hooks)), scope)
          const publicUrl = yield* Scope.provide(serve(hooks), scope)
          tg.say(chat, eve, `${i} before`)
          yield* telegramDoor({
            door,
            name: "chat",
            settings: settings({
              url: tg.url,
              ...(mode === "polling" ? {} : { mode: "webhook", secret: Redacted.make(mode) }),
            }),
            publicUrl,
            services: room,
            pollSeconds: 5,
          }).pipe(Effect.provideService(Hooks, hooks), Effect.provideService(Scope.Scope, scope))
          tg.say(chat, eve, `${i} while`)
          yield* room.until(() => room.said().length === 3 * i + 2, `the words of ${mode}`)
          yield* Scope.close(scope, Exit.void)
          tg.say(chat, eve, `${i} after`)
        }
        const texts = room.texts()
        expect(new Set(texts).size).toBe(texts.length)
        expect(texts.filter((text) => !text.endsWith("after"))).toEqual(
          modes.flatMap((_, i) => [`${i} before`, `${i} while`]),
        )
        // What was said between two of them was taken by the next.
        expect(texts.filter((text) => text.endsWith("after"))).toEqual(["0 after", "1 after", "2 after"])
      }),
  )

  it.live("takes an album that is called part by part as one message", () =>
    Effect.gen(function* () {
      const { tg, room } = yield* scene()
      const eve = tg.user(1, "Eve")
      for (const n of [1, 2, 3])
        tg.sendPhoto(tg.privateChat(eve), eve, {
          bytes: new Uint8Array([n]),
          extra: { media_group_id: "a" },
        })
      yield* room.until(() => room.said().length > 0, "the album")
      expect(room.said().map(({ attachments }) => attachments.length)).toEqual([3])
    }),
  )

  it.live("answers only 200 or 400 to signed nonsense", () =>
    Effect.gen(function* () {
      const { room, call } = yield* scene()
      const nonsense = fc.oneof(
        fc.json({ noUnicodeString: false } as never),
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
        fc.record({ update_id: fc.integer(), message: fc.jsonValue() }).map((value) => JSON.stringify(value)),
        fc
          .record({
            update_id: fc.nat(),
            edited_message: fc.record(
              {
                message_id: fc.nat(),
                chat: fc.record({ id: fc.constant(1), type: fc.constantFrom("private", "supergroup", "x") }),
                from: fc.record(
                  { id: fc.constantFrom(1, 2, 3), first_name: fc.string({ unit: "binary" }) },
                  { requiredKeys: ["id"] },
                ),
                text: fc.string({ unit: "binary" }),
                entities: fc.array(
                  fc.record({
                    type: fc.constantFrom("code", "pre", "text_link", "mention"),
                    offset: fc.integer({ min: -3, max: 30 }),
                    length: fc.integer({ min: -3, max: 30 }),
                  }),
                ),
                reply_to_message: fc.jsonValue(),
                photo: fc.constantFrom([], [{}]),
              },
              { requiredKeys: ["message_id", "chat"] },
            ),
          })
          .map((value) => JSON.stringify(value)),
      )
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(nonsense, (body) =>
            Effect.runPromise(call(body)).then(({ status }) => [200, 400].includes(status)),
          ),
          { numRuns: 1_500 },
        ),
      )
      expect(JSON.stringify([...room.inbox.values()])).not.toContain("could not be read")
      for (const { message } of room.inbox.values())
        expect(["1", "2", undefined]).toContain(message?.author.id)
    }),
  )

  it.effect("does not start without a secret or a public address", () =>
    Effect.gen(function* () {
      const start = (secret: string | null, publicUrl: string | null) =>
        telegramDoor({
          door,
          name: "team-chat",
          settings: settings({
            url: "http://127.0.0.1:9",
            mode: "webhook",
            ...(secret === null ? {} : { secret: Redacted.make(secret) }),
          }),
          publicUrl,
          services: testRoom(),
        }).pipe(
          Effect.flip,
          Effect.map(({ message }) => message),
        )
      expect(yield* start(null, "https://x.y")).toContain('add "secret"')
      expect(yield* start(secret, null)).toContain("set PUBLIC_URL")
      expect(yield* start("spaces are not allowed", "https://x.y")).toContain("may hold only")
    }).pipe(Effect.provide(Hooks.layer)),
  )
})
