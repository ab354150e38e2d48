import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as AnthropicEmulator from "./AnthropicEmulator.ts"
import { fail, say } from "./Wire.ts"
import type { WireMessage } from "./Wire.ts"

interface Message {
  readonly content: WireMessage["content"]
  readonly stop_reason: string
  readonly usage: Readonly<Record<string, unknown>>
  readonly error?: { readonly type: string; readonly message: string }
}

const post = (url: string, body: object | string, key = "k") =>
  Effect.promise(async () => {
    const response = await fetch(`${url}/v1/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    })
    const text = await response.text()
    const json = response.headers.get("content-type") === "application/json"
    return { status: response.status, text, message: (json ? JSON.parse(text) : {}) as Message }
  })

const ask = (messages: ReadonlyArray<WireMessage>, more: object = {}) => ({
  model: "claude-sonnet-5-5",
  max_tokens: 100,
  messages,
  ...more,
})
const hello: WireMessage = { role: "user", content: "hello" }

describe("the Anthropic emulator", () => {
  it.live("answers by its script, then by its responder, and keeps each request byte for byte", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicEmulator.start({
        respond: (_, n) => say(`answer ${n}`),
        bindThinking: false,
      })
      api.script(say("scripted"), fail(529, "overloaded_error", "Overloaded"), (request) =>
        say(request.model),
      )
      const body = `{ "model":"m",  "max_tokens":9, "messages":[{"role":"user","content":"hi"}] }`
      const answers = []
      for (let i = 0; i < 4; i++) answers.push(yield* post(api.url, body))
      expect(answers.map(({ status }) => status)).toEqual([200, 529, 200, 200])
      expect(answers.map(({ message }) => message.content ?? message.error?.type)).toEqual([
        [{ type: "text", text: "scripted" }],
        "overloaded_error",
        [{ type: "text", text: "m" }],
        [{ type: "text", text: "answer 3" }],
      ])
      expect(api.requests[0]?.raw.toString()).toBe(body)
      expect(api.requests.map(({ status }) => status)).toEqual([200, 529, 200, 200])
      api.clear()
      expect(api.requests).toEqual([])
    }),
  )

  it.live("streams events in the API's order", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicEmulator.start()
      api.script(say("one two three", { deltaChars: 4 }))
      const { text } = yield* post(api.url, ask([hello], { stream: true }))
      const events = [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name)
      expect(events.join(" ")).toBe(
        "message_start content_block_start content_block_delta content_block_stop " +
          "content_block_start content_block_delta content_block_delta content_block_delta content_block_stop " +
          "message_delta message_stop",
      )
    }),
  )

  it.live(
    "keeps thinking bound: the same history passes, a changed one is refused, whatever was changed",
    () =>
      Effect.gen(function* () {
        const api = yield* AnthropicEmulator.start()
        const tools = [{ name: "shell", input_schema: { type: "object" } }]
        const first = yield* post(api.url, ask([hello], { system: "You are Ada.", tools }))
        const answer: WireMessage = { role: "assistant", content: first.message.content }
        const next: WireMessage = { role: "user", content: "go on" }
        const status = (messages: ReadonlyArray<WireMessage>, more: object = {}) =>
          Effect.map(
            post(api.url, ask(messages, { system: "You are Ada.", tools, ...more })),
            ({ status, message }) => (status === 200 ? "ok" : (message.error?.message ?? "")),
          )
        expect(yield* status([hello, answer, next])).toBe("ok")
        const mark = { cache_control: { type: "ephemeral" } }
        expect(
          yield* status([{ role: "user", content: "hello" }, answer, next], {
            tools: [{ ...tools[0], ...mark }],
          }),
        ).toBe("ok")
        expect(yield* status([{ role: "user", content: "hallo" }, answer, next])).toContain(
          "different conversation",
        )
        expect(yield* status([hello, hello, answer, next])).toContain("different conversation")
        expect(yield* status([hello, answer, next], { system: "You are Bo." })).toContain("`system`")
        expect(yield* status([hello, answer, next], { tools: [] })).toContain("`tools`")
        const forged = [
          { type: "thinking", thinking: "", signature: "forged" },
          { type: "text", text: "x" },
        ]
        expect(yield* status([hello, { role: "assistant", content: forged }, next])).toContain(
          "Invalid `signature`",
        )
        expect(yield* status([hello, answer, next], { model: "claude-opus-5-5", system: "Else" })).toBe("ok")
        expect(api.refusals().length).toBe(5)
      }),
  )

  it.live("reads the cache only behind a prefix that was marked and sent before", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicEmulator.start({ bindThinking: false })
      const mark = { cache_control: { type: "ephemeral" } }
      const words = (text: string, marked = true) => [
        { type: "text", text: text.repeat(40), ...(marked ? mark : {}) },
      ]
      const usage = (messages: ReadonlyArray<WireMessage>, system: string) =>
        Effect.map(post(api.url, ask(messages, { system: words(system) })), ({ message }) => message.usage)
      const first = yield* usage([{ role: "user", content: words("a") }], "s")
      expect(first).toMatchObject({ cache_read_input_tokens: 0, input_tokens: 0 })
      const again = yield* usage([{ role: "user", content: words("b", false) }], "s")
      expect(again["cache_read_input_tokens"]).toBeGreaterThan(0)
      expect(again["input_tokens"]).toBeGreaterThan(0)
      const other = yield* usage([{ role: "user", content: words("a") }], "t")
      expect(other["cache_read_input_tokens"]).toBe(0)
    }),
  )

  it.live("cuts an answer where max_tokens ends", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicEmulator.start({ bindThinking: false })
      api.script(say("x".repeat(1000)))
      const { message } = yield* post(api.url, ask([hello], { max_tokens: 5 }))
      expect(message.stop_reason).toBe("max_tokens")
      expect(message.content).toEqual([{ type: "text", text: "x".repeat(20) }])
    }),
  )

  it.live("asks for a key, and for the one it was told", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicEmulator.start({ apiKey: "right" })
      expect((yield* post(api.url, ask([hello]), "wrong")).status).toBe(401)
      expect((yield* post(api.url, ask([hello]), "right")).status).toBe(200)
      expect((yield* post(api.url, "{", "right")).status).toBe(400)
    }),
  )
})
