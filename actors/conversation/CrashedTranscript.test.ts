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
import { TestJournal, type Answer } from "./testJournal.ts"
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
  permissions: { asked: "ask", "asked again": "ask", denied: "deny" },
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
/** Whatever may be called: what is safe to repeat, what is not, what needs permission, what is denied, what is unknown. */
const kinds = ["again", "once", "asked", "asked again", "denied", "nowhere"] as const
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
  blocks: FastCheck.array(FastCheck.constantFrom("text", "thinking", ...kinds), {
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
  /** Statements before which it is told to wait. */
  waits: FastCheck.uniqueArray(FastCheck.integer({ min: 1, max: 10 }), { maxLength: 2 }),
  /** What people answer when they are asked. */
  answers: FastCheck.array(FastCheck.constantFrom<Answer>("yes", "yes", "no", "expired"), { maxLength: 8 }),
  turns: FastCheck.integer({ min: 1, max: 2 }),
})
type Scene = typeof scenes extends FastCheck.Arbitrary<infer S> ? S : never

let ids = 0
const replyFor = (spec: Scene["replies"][number] | undefined): ModelReply => {
  if (spec === undefined) return replyOf("The end.")
  const content = spec.blocks.map((kind): Block => {
    if (kind === "text") return { type: "text", text: "words" }
    if (kind === "thinking") return { type: "thinking", thinking: "hm", signature: `s${++ids}` }
    const id = `toolu_${++ids}`
    return { type: "tool_use", id, name: kind, input: { id } }
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
  const answers = [...scene.answers]
  /** Which calls of which tool ran, each time. */
  const ran: Array<{ readonly tool: string; readonly call: string }> = []
  const toolNamed = (tool: string) =>
    toolOf(
      tool,
      (input) => Effect.sync(() => (ran.push({ tool, call: (input as { id: string }).id }), ok("done"))),
      { idempotent: tool.includes("again") },
    )
  const tools = kinds.filter((kind) => kind !== "nowhere").map(toolNamed)
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
      if (journal.state === "waiting") journal.answer(() => answers.shift() ?? "yes")
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
        statements++
        if (scene.waits.includes(statements)) journal.hold = true
        if (!scene.joins.includes(statements)) return
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
    expect(journal.steps.filter((s) => s.state === "started" || s.state === "pending")).toEqual([])
    // What a refusal has broken is never sent again: the conversation starts a new segment.
    if (journal.said.includes("the model declined")) journal.segment += 1
  }
  expect(refusals).toEqual([])
  for (const { tool, call } of ran) {
    expect(tool).not.toBe("denied")
    if (tool.startsWith("asked")) expect(journal.approvals.get(call)).toBe("yes")
    if (!tool.includes("again")) expect(ran.filter((r) => r.call === call)).toHaveLength(1)
  }
  for (const step of journal.told.filter((s) => s.kind === "tool" && s.state === "saved"))
    if (tools.some((t) => t.spec.name === step.tool) && step.tool !== "denied")
      expect([step.call, ran.some((r) => r.call === step.call)]).toEqual([
        step.call,
        (journal.approvals.get(step.call!) ?? "yes") === "yes",
      ])
  seen.add(
    [...journal.approvals.values()].includes("no")
      ? "refused"
      : journal.approvals.size > 0
        ? "asked"
        : "plain",
  )
})
const seen = new Set<string>()

it("whatever the model and people say and wherever the process crashes, what is sent is a valid transcript, and what needs permission runs once with it and never without (P6, P12)", async () => {
  await FastCheck.assert(
    FastCheck.asyncProperty(scenes, (scene) =>
      Effect.runPromise(Effect.provideService(play(scene), References.MinimumLogLevel, "None")),
    ),
    { numRuns: 2000, seed: 20261124 },
  )
  expect(seen).toEqual(new Set(["plain", "asked", "refused"]))
})
