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
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { randomBytes } from "node:crypto"
import type { Tool } from "../../actors/conversation/tools/Tool.ts"
import { Anthropic, Model, type ExtraPrice } from "../../integrations/anthropic/index.ts"
import {
  type Courier,
  Journal,
  mentionsIn,
  type AgentId,
  type EventId,
  type TurnId,
  Rooms,
  Roster,
  Sql,
  type AgentConfig,
  type Mode,
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
  /** Members that are programs elsewhere. */
  readonly outside?: ReadonlyArray<string>
  readonly model?: string
  readonly tools?:
    ReadonlyArray<Tool> | Effect.Effect<ReadonlyArray<Tool>, never, Courier | Journal | Roster | Sql>
  readonly emulator?: EmulatorOptions
  readonly budgets?: {
    readonly perRoot?: number
    readonly perAgentPerDay?: number
    readonly perThreadPerDay?: number
    readonly perMonth?: number
    readonly prices?: Readonly<Record<string, ExtraPrice>>
  }
  /** How open words are answered in groups. */
  readonly triage?: "off" | "interests" | "model"
  /** How words reach an agent at work behind this door. */
  readonly steering?: Mode
  readonly settings?: Readonly<Record<string, AgentConfig["settings"]>>
  readonly interests?: Readonly<Record<string, ReadonlyArray<string>>>
  /** An earlier world to share servers with: the same database and bus, another process in effect. */
  readonly beside?: {
    readonly ws: WorkspaceId
    readonly database: string
    readonly nats: ReturnType<typeof testNats>
    readonly emulator: AnthropicEmulator.AnthropicEmulator
  }
  /** Leases this process takes. While it is paused, it takes none and does not notice that it loses them. */
  readonly wants?: (name: string) => boolean
  /** Servers of its own, which it may kill. */
  readonly servers?: { readonly database?: string; readonly nats?: ReturnType<typeof testNats> }
  /** Stands between the turns and the model. */
  readonly around?: (model: Model["Service"]) => Model["Service"]
}

export type World = Awaited<ReturnType<typeof world>>

export class ModelEmulator extends Context.Service<ModelEmulator, AnthropicEmulator.AnthropicEmulator>()(
  "troupe/testing/ModelEmulator",
) {}

export const world = async (options: WorldOptions = {}) => {
  const ws = options.beside?.ws ?? (testWorkspace() as WorkspaceId)
  const database = options.beside?.database ?? options.servers?.database ?? (await testDatabase())
  const nats = options.beside?.nats ?? options.servers?.nats ?? testNats()
  const names = [...(options.agents ?? ["ada"]), ...(options.outside ?? [])]
  const config: CompanyConfig = {
    agents: names.map((name) => ({
      name,
      title: "Engineer",
      model: options.model ?? "claude-sonnet-5-5",
      soul: "You test.",
      interests: options.interests?.[name] ?? [],
      integrations: ["room"],
      settings:
        options.outside?.includes(name) === true ? { kind: "outside" } : (options.settings?.[name] ?? {}),
    })),
    integrations: [
      {
        name: "room",
        type: "web",
        settings: {
          ...(options.triage === undefined ? {} : { triage: options.triage }),
          ...(options.steering === undefined ? {} : { steering: options.steering }),
        },
      },
    ],
  }
  let paused = false
  const emulator = Layer.effect(ModelEmulator, AnthropicEmulator.start(options.emulator ?? {}))
  const real = Layer.unwrap(
    Effect.map(ModelEmulator, (e) =>
      Anthropic.layer({ apiKey: Redacted.make("test-key"), baseUrl: options.beside?.emulator.url ?? e.url }),
    ),
  )
  const { around } = options
  const model =
    around === undefined ? real : Layer.effect(Model, Effect.map(Model, around)).pipe(Layer.provide(real))
  const layer = layerStaff({
    budgets: { perRoot: 1, perAgentPerDay: 20, perMonth: 500, prices: {}, ...options.budgets },
    triageModel: "claude-haiku-5-5",
    modelOf: (agent) => agent.model ?? "claude-sonnet-5-5",
    tools: Effect.isEffect(options.tools) ? options.tools : Effect.succeed(options.tools ?? []),
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
        (name) => !paused && (options.wants?.(name) ?? true),
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
  const modelEmulator = options.beside?.emulator ?? (await run(ModelEmulator))
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
        // A page whose connection breaks asks again.
        Effect.retry({ while: (e) => e._tag === "BusError", schedule: Schedule.spaced("50 millis") }),
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
  const sql = <R extends object>(text: string, params: ReadonlyArray<unknown> = []) =>
    run(Effect.flatMap(Sql, (s) => s.cold<R>(text, params)))
  /** Asks again and again until it is there. */
  const eventually = async <A>(what: string, look: () => Promise<A | false | undefined>): Promise<A> => {
    const deadline = Date.now() + 20_000
    for (;;) {
      const found = await look()
      if (found !== false && found !== undefined) return found
      if (Date.now() > deadline) throw new Error(`it never came: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 15))
    }
  }
  const row = async <R extends object>(text: string, params: ReadonlyArray<unknown> = []) =>
    (await sql<R>(text, params))[0]
  return {
    ws,
    config,
    database,
    nats,
    sql,
    row,
    eventually,
    /** The decision about a message, once it is `state`. */
    decided: (event: EventId, state: string) =>
      eventually(`${event} to be ${state}`, () =>
        row<{ slot: string; agent: AgentId; turn: TurnId; reason: string }>(
          "select slot, agent, turn, reason from decision where event = $1 and state = $2",
          [event, state],
        ),
      ),
    /** The model has been asked this many times. */
    asked: (times: number) =>
      eventually(`${times} model calls`, () => Promise.resolve(modelEmulator.requests.length >= times)),
    agents: Object.fromEntries(door.members.map((m) => [m.agent.name, m.agent.id])) as Readonly<
      Record<string, AgentId>
    >,
    /** From now on it is like a process that was suspended: it holds what it holds, and learns nothing. */
    pause: () => void (paused = true),
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
