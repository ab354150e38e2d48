/** For tests: the real server on a free port with rooms in memory, and a raw HTTP client that can send any header. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { request } from "node:http"
import {
  Pairings,
  type DoorId,
  type EventId,
  Hooks,
  type Message,
  Settings,
  type Tool,
  type Turn,
  type TurnId,
} from "../../runtime/index.ts"
import * as AccountsMemory from "./AccountsMemory.ts"
import { AgentsDesk } from "./AgentsDesk.ts"
import { Audit } from "./Audit.ts"
import { Insight } from "./insight/Insight.ts"
import { People } from "./People.ts"
import { ServerOptions, type ServerSettings } from "./ServerOptions.ts"
import * as LiveRoomsMemory from "./LiveRoomsMemory.ts"
import type { MemberSummary } from "../api/index.ts"
import { WebServer } from "./WebServer.ts"

export const cliToken = "cli-token-for-tests-0123456789abcdef"

export const ada = {
  id: "ada0000000",
  name: "ada",
  title: "Engineer",
  model: null,
  state: "idle",
} as MemberSummary
export const bo = {
  id: "bo00000000",
  name: "bo",
  title: "Reviewer",
  model: null,
  state: "idle",
} as MemberSummary

/** Words of an agent, or of whom `author` names, as they stand in the log. */
export const words = (text: string, changes: Partial<Message> = {}): Message => ({
  kind: "message",
  author: { door: "web" as DoorId, id: ada.id, name: ada.name, kind: "agent" },
  text,
  mentions: [],
  attachments: [],
  replyTo: null,
  edits: null,
  root: "r" as EventId,
  hop: 1,
  slots: [],
  lastLead: null,
  principal: "web:owner",
  turn: null,
  ...changes,
})

export const turn = (state: Turn["state"], changes: Partial<Turn> = {}): Turn => ({
  kind: "turn",
  turn: "t1" as TurnId,
  agent: ada.id,
  message: "m1" as EventId,
  state,
  reason: null,
  usage: null,
  cost: null,
  ms: null,
  tools: null,
  ...changes,
})

export const tool = (summary: string, changes: Partial<Tool> = {}): Tool => ({
  kind: "tool",
  turn: "t1" as TurnId,
  agent: ada.id,
  call: "c1",
  tool: "shell",
  state: "finished",
  summary,
  ok: true,
  exitCode: 0,
  ms: 320,
  ...changes,
})

export const calm: LiveRoomsMemory.StageOptions = {
  members: [ada, bo],
  status: { rehearsal: false, parts: [], integrations: [] },
  why: () => [
    { agent: ada.id, name: "ada", verdict: "lead", reason: "addressed by name" },
    { agent: bo.id, name: "bo", verdict: "pass", reason: "ada leads" },
  ],
}

export const settings = (changes: Partial<Settings["Service"]> = {}) =>
  Layer.succeed(
    Settings,
    Settings.of({
      port: 0,
      host: "127.0.0.1",
      home: ".troupe",
      configFile: "troupe.yaml",
      databaseUrl: Option.none(),
      natsUrl: Option.none(),
      natsCreds: Option.none(),
      anthropicKey: Option.none(),
      anthropicBaseUrl: Option.none(),
      model: Option.none(),
      spritesToken: Option.none(),
      spritesUrl: Option.none(),
      encryptionKey: Option.none(),
      backupPassphrase: Option.none(),
      publicUrl: Option.none(),
      trustedProxy: Option.none(),
      logLevel: "info",
      logFormat: "pretty",
      unsafeLocalExec: false,
      ...changes,
    }),
  )

export const layer = (
  options: {
    readonly stage?: Partial<LiveRoomsMemory.StageOptions>
    readonly settings?: Partial<Settings["Service"]>
    readonly notReady?: Effect.Effect<ReadonlyArray<string>>
    readonly apply?: ServerSettings["apply"]
  } = {},
) =>
  WebServer.layer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        AccountsMemory.layer,
        Audit.layerMemory,
        Layer.succeed(Pairings, noStrangers),
        Layer.mock(People, {}),
        Layer.mock(AgentsDesk, { details: Effect.succeed([]) }),
        // What the page asks for beside the rooms: nothing waits for an answer.
        Layer.succeed(Insight, { lookup: { waiting: Effect.succeed([]) } } as unknown as Insight["Service"]),
        Hooks.layer,
        LiveRoomsMemory.layer({ ...calm, ...options.stage }),
        ServerOptions.layer({
          cliToken: Redacted.make(cliToken),
          notReady: options.notReady ?? Effect.succeed([]),
          metrics: Effect.succeed("troupe_actors 3\n"),
          apply: options.apply ?? Effect.succeed({ agents: ["ada", "bo"] }),
        }).pipe(Layer.provide(settings(options.settings))),
      ),
    ),
  )

const noStrangers = Pairings.of({
  admitted: () => new Set(),
  knock: () => Effect.succeed(undefined),
  list: Effect.succeed([]),
  approve: () => Effect.succeed(undefined),
  remove: () => Effect.succeed(false),
})

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly text: string
}

/** One request with exactly these headers (and the right Host unless another is named). */
export const send = (
  url: string,
  how: {
    readonly method?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string | Uint8Array
  } = {},
): Effect.Effect<Answer> =>
  Effect.callback((resume) => {
    const outgoing = request(
      url,
      { method: how.method ?? "GET", headers: how.headers ?? {}, agent: false },
      (incoming) => {
        const parts: Array<Buffer> = []
        const answer = () =>
          resume(
            Effect.succeed({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              text: Buffer.concat(parts).toString(),
            }),
          )
        incoming
          .on("data", (part: Buffer) => parts.push(part))
          .on("end", answer)
          .on("error", answer)
      },
    )
    outgoing.on("error", (error) => resume(Effect.die(error)))
    outgoing.end(how.body)
    return Effect.sync(() => outgoing.destroy())
  })

/** Enters by a fresh one-time link; the `cookie` header from then on. */
export const enter = Effect.gen(function* () {
  const { newLink } = yield* WebServer
  const answer = yield* send(yield* newLink)
  return String(answer.headers["set-cookie"]).split(";")[0] ?? ""
})
