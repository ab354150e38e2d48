import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Anthropic, Model } from "../../../integrations/anthropic/index.ts"
import type { Block, ModelMessage, ModelReply } from "../../../integrations/anthropic/index.ts"
import * as Rehearsal from "./Rehearsal.ts"
import { signature } from "./Rules.ts"

const tool = (name: string, ...properties: ReadonlyArray<string>) => ({
  name,
  description: name,
  input_schema: {
    type: "object",
    properties: Object.fromEntries(properties.map((key) => [key, { type: "string" }])),
  },
})
const tools = [tool("shell", "command"), tool("read_file", "path"), tool("write_file", "path", "content")]

const framed = (text: string, from = "mia", role = "person"): ReadonlyArray<Block> => [
  {
    type: "text",
    text: `<room at="12:00" you="@ada" others="@bo (Reviewer)">You answer the last message below.</room>\n<message from="leo" id="e1" role="person">run: date</message>\n<message from="${from}" id="e2" role="${role}">${text}</message>`,
  },
]

const open = Effect.gen(function* () {
  const rehearsal = yield* Rehearsal.start({ paceMs: 0 })
  const context = yield* Layer.build(
    Anthropic.layer({ apiKey: Redacted.make(rehearsal.apiKey), baseUrl: rehearsal.url }),
  )
  const model = Context.get(context, Model)
  const call = (messages: ReadonlyArray<ModelMessage>, offered = tools) =>
    model.call({ model: "rehearsal", maxTokens: 1000, system: [], tools: offered, messages }, () => {})
  const ask = (text: string, from?: string, role?: string) =>
    call([{ role: "user", content: framed(text, from, role) }])
  return { call, ask }
})

const words = (reply: ModelReply): string =>
  reply.content.map((block) => String(block["text"] ?? "")).join("")

describe("the rehearsal", () => {
  it.live("signs every answer in words, and says how to get a real model", () =>
    Effect.gen(function* () {
      const { ask } = yield* open
      for (const text of ["What is the capital of France?", "hello", "help", "ask @bo to look at it"]) {
        const answer = words(yield* ask(text))
        expect(answer.endsWith(`\n${signature}`), text).toBe(true)
      }
      const echoed = words(yield* ask('What is &lt;message> && <b>?\n<file name="a.png" size="1"/>'))
      expect(echoed).toContain('I heard: "What is <message> && <b>?"')
      expect(echoed).toContain("ANTHROPIC_API_KEY")
      expect(
        words(yield* ask("hello"))
          .split("\n")
          .filter(Boolean).length,
      ).toBe(3)
    }),
  )

  it.live("runs the command of the last words, with the tool it was given, and reports what it saw", () =>
    Effect.gen(function* () {
      const { call } = yield* open
      const messages: Array<ModelMessage> = [{ role: "user", content: framed("@ada, run: echo hi > a; ls") }]
      const first = yield* call(messages)
      expect(first.stopReason).toBe("tool_use")
      expect(first.content).toEqual([
        expect.objectContaining({ type: "tool_use", name: "shell", input: { command: "echo hi > a; ls" } }),
      ])
      messages.push(
        { role: "assistant", content: first.content },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: first.content[0]!["id"],
              content: [{ type: "text", text: "a\nb\n(exit code: 3)" }],
              is_error: true,
            },
          ],
        },
      )
      const answer = words(yield* call(messages))
      expect(answer).toContain("exit code 3")
      expect(answer).toContain("a\nb")
      expect(answer.endsWith(signature)).toBe(true)
    }),
  )

  it.live("finds whom open words should ask by what agents care for", () =>
    Effect.gen(function* () {
      const rehearsal = yield* Rehearsal.start({ paceMs: 0 })
      const context = yield* Layer.build(
        Anthropic.layer({ apiKey: Redacted.make(rehearsal.apiKey), baseUrl: rehearsal.url }),
      )
      const team =
        "<triage>\nThe team:\n- @ada: Engineer; cares for bug, code\n- @bo: Reviewer; cares for risk\n</triage>"
      const find = (text: string) =>
        Effect.map(
          Context.get(context, Model).call(
            {
              model: "rehearsal",
              maxTokens: 100,
              system: [team],
              tools: [],
              messages: [{ role: "user", content: framed(text) }],
            },
            () => {},
          ),
          words,
        )
      expect(yield* find("is there a risk?")).toBe("@bo: it cares for risk")
      expect(yield* find("lovely weather")).toMatch(/^nobody: /)
    }),
  )

  it.live("answers words that joined while a tool ran, beside the result", () =>
    Effect.gen(function* () {
      const { call } = yield* open
      const first = yield* call([{ role: "user", content: framed("run: true") }])
      const joined = yield* call([
        { role: "user", content: framed("run: true") },
        { role: "assistant", content: first.content },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: first.content[0]!["id"], content: "" },
            ...framed("read: notes.md"),
          ],
        },
      ])
      expect(words(joined)).toContain("it worked")
      expect(joined.content.at(-1)).toMatchObject({ name: "read_file", input: { path: "notes.md" } })
    }),
  )

  it.live("reads and writes files, several lines in one round", () =>
    Effect.gen(function* () {
      const { ask } = yield* open
      const reply = yield* ask("write: a/b.txt two words\nread: a/b.txt")
      expect(reply.content).toEqual([
        expect.objectContaining({ name: "write_file", input: { path: "a/b.txt", content: "two words" } }),
        expect.objectContaining({ name: "read_file", input: { path: "a/b.txt" } }),
      ])
      expect(new Set(reply.content.map(({ id }) => id)).size).toBe(2)
    }),
  )

  it.live("uses the input names of the tool's own schema, and says when the tool is missing", () =>
    Effect.gen(function* () {
      const { call } = yield* open
      const ask = [{ role: "user" as const, content: framed("run: ls") }]
      expect((yield* call(ask, [tool("shell", "timeout", "cmd")])).content).toEqual([
        expect.objectContaining({ input: { cmd: "ls" } }),
      ])
      expect(words(yield* call(ask, []))).toContain("no such tool")
    }),
  )

  it.live("hands work to a colleague by name, who then does it", () =>
    Effect.gen(function* () {
      const { ask } = yield* open
      expect(words(yield* ask("@ada ask @bo to run: npm test"))).toMatch(/^@bo run: npm test$/m)
      expect(words(yield* ask("please hand this off to @bo: read the diff"))).toMatch(/^@bo read the diff$/m)
      const taken = yield* ask("@bo run: npm test", "ada", "agent")
      expect(taken.content).toEqual([expect.objectContaining({ input: { command: "npm test" } })])
    }),
  )

  it.live("calls nobody by repeating words", () =>
    Effect.gen(function* () {
      const { ask } = yield* open
      expect(words(yield* ask("I like @bo and @ada"))).not.toContain("@")
    }),
  )

  it.live("streams in several deltas with pauses, when it is paced", () =>
    Effect.gen(function* () {
      const { url, apiKey } = yield* Rehearsal.start({ paceMs: 1 })
      const context = yield* Layer.build(Anthropic.layer({ apiKey: Redacted.make(apiKey), baseUrl: url }))
      const deltas: Array<string> = []
      yield* Context.get(context, Model).call(
        {
          model: "rehearsal",
          maxTokens: 1000,
          system: [],
          tools: [],
          messages: [{ role: "user", content: [{ type: "text", text: "Tell me a story" }] }],
        },
        (delta) => deltas.push(delta),
      )
      expect(deltas.length).toBeGreaterThan(3)
      expect(deltas.join("")).toContain("Tell me a story")
    }),
  )

  it.live("lets nobody in with another key", () =>
    Effect.gen(function* () {
      const { url } = yield* Rehearsal.start({ paceMs: 0 })
      const context = yield* Layer.build(Anthropic.layer({ apiKey: Redacted.make("other"), baseUrl: url }))
      const error = yield* Effect.flip(
        Context.get(context, Model).call(
          {
            model: "rehearsal",
            maxTokens: 10,
            system: [],
            tools: [],
            messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
          },
          () => {},
        ),
      )
      expect(error.kind).toBe("authentication")
    }),
  )
})
