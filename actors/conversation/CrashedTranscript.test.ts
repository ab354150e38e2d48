import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as FastCheck from "fast-check"
import { expect, it } from "vitest"
import { Binding } from "../../infra/emulators/anthropic/Binding.ts"
import { validate, type MessagesRequest, type WireBlock } from "../../infra/emulators/anthropic/index.ts"
import { layerMemory, replyOf, type Block, type ModelReply } from "../../integrations/anthropic/index.ts"
import {
  Blobs,
  Courier,
  Journal,
  Sql,
  type Agent,
  type Door,
  type MessageEvent,
  type WorkspaceId,
} from "../../runtime/index.ts"
import { workOf } from "./Adopt.ts"
import { freeze } from "./context/Frozen.ts"
import { JoinQueue } from "./JoinQueue.ts"
import { TestJournal } from "./testJournal.ts"
import { ok, toolOf } from "./testing.ts"
import { runTurn } from "./turn/Turn.ts"
import { Workplace } from "./turn/Workplace.ts"

const agent = {
  id: "ada",
  name: "ada",
  title: "Engineer",
  model: null,
  soul: "",
  interests: [],
  permissions: {},
} as unknown as Agent
const door = {
  id: "d",
  name: "room",
  type: "web",
  triage: "off",
  platform: false,
  members: [],
} as unknown as Door
const budgets = { perRoot: 1, perAgentPerDay: 1, perMonth: 1, prices: {} }
const tools = [
  toolOf("again", () => Effect.succeed(ok("repeated")), { idempotent: true }),
  toolOf("once", () => Effect.succeed(ok("done once"))),
]
const frozen = freeze(agent, "claude-sonnet-5-5", [])
const message = (n: number): MessageEvent =>
  ({
    id: `e${n}`,
    thread: "room",
    door: "d",
    pos: n,
    prev: n - 1,
    at: "",
    kind: "message",
    author: { door: "d", id: "7", name: "Eva", kind: "person" },
    text: `word ${n}`,
    attachments: [],
    edits: null,
    root: "root",
    hop: 0,
    principal: "d:7",
  }) as unknown as MessageEvent

/** What a model may say: the kinds of blocks it is made of, and how it ends. */
const replies = FastCheck.record({
  blocks: FastCheck.array(FastCheck.constantFrom("text", "thinking", "again", "once", "nowhere"), {
    maxLength: 4,
  }),
  stopReason: FastCheck.constantFrom(
    "tool_use",
    "tool_use",
    "end_turn",
    "max_tokens",
    "pause_turn",
    "refusal",
    "unknown",
  ),
})
const scenes = FastCheck.record({
  replies: FastCheck.array(replies, { minLength: 1, maxLength: 6 }),
  /** After how many statements each life crashes, and whether that statement commits. */
  crashes: FastCheck.array(FastCheck.tuple(FastCheck.integer({ min: 1, max: 4 }), FastCheck.boolean()), {
    maxLength: 4,
  }),
  /** Statements before which a word joins. */
  joins: FastCheck.uniqueArray(FastCheck.integer({ min: 1, max: 8 }), { maxLength: 2 }),
  turns: FastCheck.integer({ min: 1, max: 2 }),
})
type Scene = typeof scenes extends FastCheck.Arbitrary<infer S> ? S : never

let ids = 0
const replyFor = (spec: Scene["replies"][number] | undefined): ModelReply => {
  if (spec === undefined) return replyOf("The end.")
  const content = spec.blocks.map((kind): Block => {
    if (kind === "text") return { type: "text", text: "words" }
    if (kind === "thinking") return { type: "thinking", thinking: "hm", signature: `s${++ids}` }
    return { type: "tool_use", id: `toolu_${++ids}`, name: kind, input: {} }
  })
  // The API pauses only behind a server tool, and calls no tool where there is none.
  const calls = content.some((b) => b.type === "tool_use")
  if (spec.stopReason === "pause_turn")
    content.push({ type: "server_tool_use", id: `srv_${++ids}`, name: "web_search", input: {} })
  const stopReason = spec.stopReason === "tool_use" && !calls ? "end_turn" : spec.stopReason
  return replyOf("", { content, stopReason, stopDetail: stopReason })
}

/** Plays the scene; every request any life makes must satisfy the API, and each turn must end with words. */
const play = Effect.fnUntraced(function* (scene: Scene) {
  const journal = new TestJournal()
  const binding = new Binding()
  const script = [...scene.replies]
  const refusals: Array<string> = []
  const model = layerMemory((request) =>
    Effect.sync(() => {
      const wire: MessagesRequest = {
        model: request.model,
        max_tokens: request.maxTokens,
        messages: request.messages as MessagesRequest["messages"],
      }
      const refusal = validate(wire, { alternate: true }) ?? binding.check(wire)
      if (refusal !== null) refusals.push(refusal)
      const reply = replyFor(script.shift())
      return {
        ...reply,
        content: binding.bind(wire, reply.content as ReadonlyArray<WireBlock>) as ReadonlyArray<Block>,
      }
    }),
  )
  const none = { read: () => Effect.succeed(undefined), cold: () => Effect.succeed([]), send: () => {} }
  const layer = Layer.mergeAll(
    model,
    Layer.succeed(Journal, journal.service),
    Layer.succeed(Workplace, {
      tools: new Map(tools.map((t) => [t.spec.name, t])),
      budgets,
      modelOf: () => "claude-sonnet-5-5",
      triageModel: "claude-haiku-5-5",
    }),
    Layer.succeed(Blobs, none as unknown as Blobs["Service"]),
    Layer.succeed(Sql, none as unknown as Sql["Service"]),
    Layer.succeed(Courier, none as unknown as Courier["Service"]),
  )
  const crashes = [...scene.crashes]
  let serial = 0
  let statements = 0
  for (let turn = 1; turn <= scene.turns; turn++) {
    const event = message(++serial)
    journal.begin(`t${turn}`, {
      role: "user",
      content: [{ type: "text", text: event.text }],
      heard: event.pos,
    })
    while (!journal.ended) {
      const [at, commits] = crashes.shift() ?? [Infinity, false]
      const crash = journal.crashAt(at, commits)
      const work = workOf({
        left: journal.leftTurn(event),
        agent,
        door,
        event,
        words: journal.joined,
        tail: { segment: journal.segment, frozen, heard: 0, told: new Map(), ...journal.lines() },
        ws: "w" as WorkspaceId,
        fence: 1,
        budgets,
      })
      const joining = new JoinQueue(journal.joined.slice(journal.taken), () => {})
      journal.before = () => {
        if (!scene.joins.includes(++statements)) return
        const word = message(++serial)
        journal.joined.push(word)
        joining.add(word)
      }
      yield* Effect.raceFirst(runTurn(work, { say: () => {}, hold: () => {} }, joining), crash).pipe(
        Effect.provide(layer),
      )
    }
    expect(journal.said).not.toBe("")
    expect(journal.taken).toBeLessThanOrEqual(journal.joined.length)
    expect(journal.steps.filter((s) => s.state === "started")).toEqual([])
    // What a refusal has broken is never sent again: the conversation starts a new segment.
    if (journal.said.includes("the model declined")) journal.segment += 1
  }
  expect(refusals).toEqual([])
})

it("whatever the model says and wherever the process crashes, what is sent is a valid transcript (P6, P12)", async () => {
  await FastCheck.assert(
    FastCheck.asyncProperty(scenes, (scene) =>
      Effect.runPromise(Effect.provideService(play(scene), References.MinimumLogLevel, "None")),
    ),
    { numRuns: 1500, seed: 20261124 },
  )
})
