/**
 * A whole company for a test: a database and a bus of its own on the run's servers, the emulated model, agents at work. What
 * a test sees is what a person in the room sees: the room log, read by following it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { randomBytes } from "node:crypto"
import type { Tool } from "../../actors/conversation/tools/Tool.ts"
import { Anthropic } from "../../integrations/anthropic/index.ts"
import {
  Journal,
  mentionsIn,
  Rooms,
  Roster,
  type CompanyConfig,
  type DoorId,
  type Event,
  type Inbound,
  type MessageEvent,
  type ThreadId,
  type WorkspaceId,
} from "../../runtime/index.ts"
import { AnthropicEmulator, type EmulatorOptions } from "../emulators/anthropic/index.ts"
import { layerActors, layerRoom, layerStaff, layerStore } from "../Troupe.ts"
import { testDatabase, testNats, testWorkspace } from "./index.ts"

export interface WorldOptions {
  readonly agents?: ReadonlyArray<string>
  readonly model?: string
  readonly tools?: ReadonlyArray<Tool>
  readonly emulator?: EmulatorOptions
  readonly budgets?: { readonly perRoot: number; readonly perAgentPerDay: number }
  /** An earlier world to share servers with: the same database and bus, another process in effect. */
  readonly beside?: { readonly database: string; readonly ws: WorkspaceId; readonly model: string }
  readonly wants?: (name: string) => boolean
}

export class ModelEmulator extends Context.Service<ModelEmulator, AnthropicEmulator.AnthropicEmulator>()(
  "troupe/testing/ModelEmulator",
) {}

export const world = async (options: WorldOptions = {}) => {
  const ws = options.beside?.ws ?? (testWorkspace() as WorkspaceId)
  const database = options.beside?.database ?? (await testDatabase())
  const nats = testNats()
  const names = options.agents ?? ["ada"]
  const config: CompanyConfig = {
    agents: names.map((name) => ({
      name,
      title: "Engineer",
      model: options.model ?? "claude-sonnet-5-5",
      soul: "You test.",
      interests: [],
      integrations: ["room"],
    })),
    integrations: [{ name: "room", type: "web", settings: {} }],
  }
  const emulator = Layer.effect(ModelEmulator, AnthropicEmulator.start(options.emulator ?? {}))
  const model = Layer.unwrap(
    Effect.map(ModelEmulator, (e) =>
      Anthropic.layer({ apiKey: Redacted.make("test-key"), baseUrl: options.beside?.model ?? e.url }),
    ),
  )
  const layer = layerStaff({
    budgets: { perRoot: 1, perAgentPerDay: 20, prices: {}, ...options.budgets },
    modelOf: (agent) => agent.model ?? "claude-sonnet-5-5",
    tools: Effect.succeed(options.tools ?? []),
    reap: Effect.void,
  }).pipe(
    Layer.provideMerge(
      layerRoom(
        {
          database: Redacted.make(database),
          nats: { url: nats.url, user: nats.user, password: Redacted.make(nats.password) },
        },
        ws,
        config,
        options.wants,
      ),
    ),
    Layer.provideMerge(Layer.merge(layerActors, model)),
    Layer.provideMerge(emulator),
    Layer.provideMerge(
      layerStore(Redacted.make(database), {
        current: Redacted.make(randomBytes(32).toString("hex")),
        former: [],
      }),
    ),
  )
  const runtime = ManagedRuntime.make(layer)
  const run = runtime.runPromise
  const modelEmulator = await run(ModelEmulator)
  const door = await run(Effect.map(Roster, (r) => [...r.now().doors.values()][0]!))
  let serial = 0

  const inbound = (
    channel: string,
    text: string,
    over: Partial<NonNullable<Inbound["message"]>> = {},
  ): Inbound => {
    const key = `${ws}-${serial++}`
    return {
      door: door.id,
      externalId: key,
      raw: {},
      message: {
        channel,
        title: channel,
        sourceKey: `web:${key}`,
        author: { door: door.id, id: "7", name: "Eva", kind: "person" },
        text,
        attachments: [],
        mentions: mentionsIn(
          text,
          door.members.map((m) => m.agent),
        ),
        direct: true,
        ...over,
      },
    }
  }
  const accept = (batch: ReadonlyArray<Inbound>) => run(Effect.flatMap(Journal, (j) => j.accept(batch)))
  /** Says something in a room; where it landed. */
  const say = async (channel: string, text: string, over: Partial<NonNullable<Inbound["message"]>> = {}) => {
    const [accepted] = await accept([inbound(channel, text, over)])
    return { event: accepted!.event!, thread: accepted!.thread as ThreadId, pos: accepted!.pos! }
  }
  /** The room log up to the first event that satisfies `until`, as it comes. */
  const watch = (thread: ThreadId, until: (event: Event) => boolean, after = 0) =>
    run(
      Effect.flatMap(Rooms, (rooms) =>
        rooms.follow(thread, after).pipe(Stream.takeUntil(until), Stream.runCollect),
      ).pipe(
        Effect.timeoutOption("15 seconds"),
        Effect.flatMap((found) =>
          Option.isSome(found)
            ? Effect.succeed(found.value)
            : Effect.flatMap(Rooms, (rooms) => rooms.events(thread, 0, 500)).pipe(
                Effect.flatMap((events) =>
                  Effect.die(new Error(`it never came; the room has ${JSON.stringify(events, null, 1)}`)),
                ),
              ),
        ),
      ),
    )
  /** Says it, and waits for the agent's answer to it. */
  const ask = async (channel: string, text: string, over: Partial<NonNullable<Inbound["message"]>> = {}) => {
    const said = await say(channel, text, over)
    const events = await watch(said.thread, (e) => answers(e, said.event), said.pos)
    return { ...said, events, answer: events.findLast((e) => answers(e, said.event)) as MessageEvent }
  }
  return {
    ws,
    database,
    door: door.id as DoorId,
    emulator: modelEmulator,
    runtime,
    run,
    inbound,
    accept,
    say,
    watch,
    ask,
    dispose: () => runtime.dispose(),
  }
}

export const answers = (event: Event, message: string): boolean =>
  event.kind === "message" && event.author.kind === "agent" && event.replyTo === message
