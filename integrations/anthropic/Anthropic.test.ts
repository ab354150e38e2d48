import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { AnthropicEmulator, fail, say, useTool } from "../../infra/emulators/anthropic/index.ts"
import type { Answer } from "../../infra/emulators/anthropic/index.ts"
import * as Anthropic from "./Anthropic.ts"
import { Model } from "./Model.ts"
import type { ModelRequest, StopReason } from "./Model.ts"
import { request, suite } from "./Model.suite.ts"

const key = "sk-ant-secret-canary"

const connect = (baseUrl: string, options: Partial<Anthropic.AnthropicOptions> = {}) =>
  Effect.map(Layer.build(Anthropic.layer({ apiKey: Redacted.make(key), baseUrl, ...options })), (context) =>
    Context.get(context, Model),
  )

const open = (options: Partial<Anthropic.AnthropicOptions> = {}) =>
  Effect.gen(function* () {
    const api = yield* AnthropicEmulator.start()
    return { api, model: yield* connect(api.url, options) }
  })

const failure = (answer: Answer, options: Partial<Anthropic.AnthropicOptions> = {}) =>
  Effect.gen(function* () {
    const { api, model } = yield* open(options)
    api.script(answer)
    const error = yield* Effect.flip(model.call(request, () => {}))
    expect(api.requests.length, "one HTTP attempt").toBe(1)
    expect(error.message, "a sentence with an end").toMatch(/^[A-Z].*\.$/)
    expect(error.message).not.toContain(key)
    return error
  })

suite(
  "the Anthropic adapter over a socket",
  Effect.gen(function* () {
    const { api, model } = yield* open()
    return {
      model,
      answers: (text) => api.script(say(text, { deltaChars: 4 })),
      refuses: () => api.script(fail(529, "overloaded_error", "Overloaded")),
      hangs: () => {
        const arrived = Deferred.makeUnsafe<void>()
        api.respond(() => {
          Deferred.doneUnsafe(arrived, Effect.void)
          return say("never", { hangAfter: 2 })
        })
        return { arrived: Deferred.await(arrived), gone: api.hungUp }
      },
    }
  }),
)

describe("stop reasons", () => {
  const cases: ReadonlyArray<readonly [string, StopReason, string, Parameters<typeof say>[1]]> = [
    ["end_turn", "end_turn", "end_turn", {}],
    ["max_tokens", "max_tokens", "max_tokens", {}],
    ["stop_sequence", "stop_sequence", "stop_sequence", {}],
    ["pause_turn", "pause_turn", "pause_turn", {}],
    [
      "refusal",
      "refusal",
      "cyber",
      { stopDetails: { type: "refusal", category: "cyber", explanation: null } },
    ],
    ["refusal", "refusal", "refusal", {}],
    ["model_context_window_exceeded", "model_context_window_exceeded", "model_context_window_exceeded", {}],
    ["from_the_future", "unknown", "from_the_future", {}],
  ]
  for (const [word, stopReason, stopDetail, more] of cases)
    it.live(`${word} is ${stopReason}, in detail ${stopDetail}`, () =>
      Effect.gen(function* () {
        const { api, model } = yield* open()
        api.script(say("Words.", { ...more, stopReason: word }))
        expect(yield* model.call(request, () => {})).toMatchObject({ stopReason, stopDetail })
      }),
    )

  it.live("an answer without a block is an empty reply, not a failure", () =>
    Effect.gen(function* () {
      const { api, model } = yield* open()
      api.script({ content: [] })
      expect((yield* model.call(request, () => {})).content).toEqual([])
    }),
  )
})

describe("failures", () => {
  const spend = "You have reached your specified API usage limits / spend limit."
  const cases: ReadonlyArray<readonly [string, Answer, string, "later" | "never"]> = [
    ["400", fail(400, "invalid_request_error", "tools.0: bad"), "invalid_request", "never"],
    ["400 spend limit", fail(400, "invalid_request_error", spend), "billing", "never"],
    [
      "400 no credit",
      fail(400, "invalid_request_error", "Your credit balance is too low"),
      "billing",
      "never",
    ],
    [
      "429 spend limit by its code",
      fail(429, "rate_limit_error", "limit", { errorCode: "enforced_spend_limit_reached" }),
      "billing",
      "never",
    ],
    ["402", fail(402, "billing_error", "pay"), "billing", "never"],
    [
      "400 prompt too long",
      fail(400, "invalid_request_error", "prompt is too long: 1000001 tokens > 1000000 maximum"),
      "context_too_long",
      "never",
    ],
    [
      "400 prefix changed",
      fail(
        400,
        "invalid_request_error",
        "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation.",
      ),
      "prefix_mismatch",
      "never",
    ],
    ["401", fail(401, "authentication_error", "invalid x-api-key"), "authentication", "never"],
    ["403", fail(403, "permission_error", "no"), "permission", "never"],
    ["404", fail(404, "not_found_error", "model: nope"), "unknown_model", "never"],
    ["408", fail(408, "timeout_error", "slow"), "timeout", "later"],
    ["409", fail(409, "conflict_error", "busy"), "server", "later"],
    ["413", fail(413, "request_too_large", "big"), "too_large", "never"],
    ["429", fail(429, "rate_limit_error", "slow down"), "rate_limited", "later"],
    ["500", fail(500, "api_error", "oops"), "server", "later"],
    ["502 of a proxy", fail(502, "", ""), "server", "later"],
    ["504", fail(504, "timeout_error", "slow"), "timeout", "later"],
    ["529", fail(529, "overloaded_error", "busy"), "overloaded", "later"],
    ["a reset connection", { status: "reset" }, "connection", "later"],
    [
      "an overload in mid-stream, without a status",
      say("half", { errorAfter: { events: 3, type: "overloaded_error", message: "Overloaded" } }),
      "overloaded",
      "later",
    ],
    [
      "a server error in mid-stream",
      say("half", { errorAfter: { events: 3, type: "api_error", message: "Internal" } }),
      "server",
      "later",
    ],
    [
      "an error in mid-stream of a kind we do not know",
      say("half", { errorAfter: { events: 1, type: "new_error", message: "?" } }),
      "server",
      "later",
    ],
  ]
  for (const [name, answer, kind, retry] of cases)
    it.live(`${name} is ${kind}, to be repeated: ${retry}`, () =>
      Effect.map(failure(answer), (error) => expect(error).toMatchObject({ kind, retry })),
    )

  it.live("a stream cut at any event is a broken connection, never a short answer", () =>
    Effect.gen(function* () {
      const { api, model } = yield* open()
      const whole = 9
      for (const how of ["cutAfter", "endAfter"] as const)
        for (let events = 0; events < whole; events++) {
          api.script(say("the whole answer", { [how]: events }))
          const error = yield* Effect.flip(model.call(request, () => {}))
          expect(error).toMatchObject({ kind: "connection", retry: "later" })
        }
      api.script(say("the whole answer", { endAfter: whole }))
      expect((yield* model.call(request, () => {})).stopReason).toBe("end_turn")
    }),
  )

  it.live("silence is a timeout, before the first byte and between events", () =>
    Effect.gen(function* () {
      const head = yield* failure({ status: "silence" }, { firstByteMs: 80 })
      expect(head).toMatchObject({ kind: "timeout", retry: "later" })
      const body = yield* failure(say("x", { hangAfter: 3 }), { idleMs: 80 })
      expect(body).toMatchObject({ kind: "timeout", retry: "later" })
    }),
  )

  it.live("a server that is not there is a broken connection", () =>
    Effect.gen(function* () {
      const model = yield* connect("http://127.0.0.1:1")
      const error = yield* Effect.flip(model.call(request, () => {}))
      expect(error).toMatchObject({ kind: "connection", retry: "later" })
    }),
  )

  it.live("waits as long as the API says", () =>
    Effect.gen(function* () {
      const after = (headers: Record<string, string>) =>
        Effect.map(failure(fail(429, "rate_limit_error", "slow", { headers })), ({ afterMs }) => afterMs)
      expect(yield* after({ "retry-after": "7" })).toBe(7000)
      expect(yield* after({ "retry-after-ms": "250", "retry-after": "7" })).toBe(250)
      expect(yield* after({ "retry-after": new Date(Date.now() + 60_000).toUTCString() })).toBeGreaterThan(
        50_000,
      )
      expect(yield* after({})).toBeNull()
    }),
  )

  it.live("obeys the API when it says whether to repeat", () =>
    Effect.gen(function* () {
      const told = (order: string) => ({ headers: { "x-should-retry": order } })
      expect((yield* failure(fail(429, "rate_limit_error", "quota", told("false")))).retry).toBe("never")
      expect((yield* failure(fail(409, "conflict_error", "lock", told("true")))).retry).toBe("later")
    }),
  )
})

describe("the request", () => {
  const shell = { name: "shell", description: "Runs a command", input_schema: { type: "object" } }

  /** A conversation of many rounds, as the turn would keep it: only ever appended to. */
  const converse = (rounds: number) =>
    Effect.gen(function* () {
      const { api, model } = yield* open()
      const messages: Array<ModelRequest["messages"][number]> = [...request.messages]
      const usages = []
      for (let round = 0; round < rounds; round++) {
        api.script(
          round % 3 === 2
            ? say(`Answer ${round}`)
            : { content: ["a", "b"].map((x) => useTool("shell", { command: x }).content[0]!) },
        )
        const reply = yield* model.call({ ...request, tools: [shell], messages: [...messages] }, () => {})
        usages.push(reply.usage)
        messages.push({ role: "assistant", content: reply.content })
        const uses = reply.content.filter(({ type }) => type === "tool_use")
        messages.push({
          role: "user",
          content:
            uses.length > 0
              ? uses.map((use) => ({ type: "tool_result", tool_use_id: use["id"], content: "done" }))
              : [{ type: "text", text: `Question ${round}` }],
        })
      }
      return { api, usages }
    })

  it.live("sends a growing conversation that the API accepts at every step, thinking bound", () =>
    Effect.gen(function* () {
      const { api } = yield* converse(12)
      expect(api.refusals()).toEqual([])
      expect(api.requests.length).toBe(12)
    }),
  )

  it.live("sends what is stored byte for byte: without the marks, each body begins with the one before", () =>
    Effect.gen(function* () {
      const { api } = yield* converse(6)
      const mark = ',"cache_control":{"type":"ephemeral"}'
      const bodies = api.requests.map(({ raw }) =>
        raw
          .toString("utf8")
          .replaceAll(mark, "")
          .replace(/\],"thinking":[^[\]]*$/, ""),
      )
      expect(bodies[0]).toMatch(/"text":"Hello"\}\]\}$/)
      for (let at = 1; at < bodies.length; at++)
        expect(bodies[at]!.startsWith(`${bodies[at - 1]!},{"role":"assistant"`), `request ${at}`).toBe(true)
    }),
  )

  it.live("reads from the cache all that the call before wrote, and pays for the new part only", () =>
    Effect.gen(function* () {
      const { usages } = yield* converse(8)
      for (let at = 1; at < usages.length; at++) {
        const before = usages[at - 1]!
        expect(usages[at]!.cacheRead).toBe(before.cacheRead + before.cacheWrite5m)
        expect(usages[at]!.input).toBe(0)
      }
    }),
  )

  it.live("still reads all of it when more than 20 blocks came in one message", () =>
    Effect.gen(function* () {
      const { api, model } = yield* open()
      const first = yield* model.call(request, () => {})
      const many = Array.from({ length: 40 }, (_, at) => ({ type: "text", text: `words ${at}` }))
      const messages = [
        ...request.messages,
        { role: "assistant" as const, content: first.content },
        { role: "user" as const, content: many },
      ]
      const second = yield* model.call({ ...request, messages }, () => {})
      expect(second.usage.cacheRead).toBe(first.usage.cacheWrite5m)
      expect(api.refusals()).toEqual([])
    }),
  )

  it.live("is refused as a prefix mismatch when the system prompt changes within a segment", () =>
    Effect.gen(function* () {
      const { model } = yield* open()
      const reply = yield* model.call(request, () => {})
      const messages = [
        ...request.messages,
        { role: "assistant" as const, content: reply.content },
        { role: "user" as const, content: [{ type: "text", text: "And now?" }] },
      ]
      yield* model.call({ ...request, messages }, () => {})
      const error = yield* Effect.flip(
        model.call({ ...request, system: ["You are Bo."], messages }, () => {}),
      )
      expect(error).toMatchObject({ kind: "prefix_mismatch", retry: "never" })
    }),
  )

  it.live("asks for the words between tool calls where the model hides them, and only there", () =>
    Effect.gen(function* () {
      const { api, model } = yield* open()
      for (const name of ["claude-opus-5-5", "claude-fable-5-2", "claude-haiku-5-5", "rehearsal"]) {
        api.script({
          content: [{ type: "thinking", thinking: "Looking.", signature: name }, ...say("x").content],
        })
        const heard: Array<string> = []
        yield* model.call({ ...request, model: name }, (delta) => heard.push(delta))
        const { headers, request: sent } = api.requests.at(-1)!
        const asks = name === "claude-opus-5-5" || name === "claude-fable-5-2"
        expect(sent.thinking).toEqual(asks ? { type: "adaptive", display: "updates" } : undefined)
        expect(headers["anthropic-beta"]).toBe(asks ? "thinking-display-updates-2026-08-18" : undefined)
        expect(heard.join("")).toBe(asks ? "Looking.\n\nx" : "x")
      }
    }),
  )
})
