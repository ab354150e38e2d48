/**
 * Test kit: a room in memory in place of the runtime, behind a door to an emulated GitHub. It keeps what was accepted, once per
 * external id and once per source key, can be switched off, and wakes whoever waits for a condition at each change.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { GithubEmulator, type App, type Repo } from "../../infra/emulators/github/index.ts"
import type { Inbound, InboundMessage } from "../../runtime/door/Inbound.ts"
import { Hooks } from "../../runtime/door/Hooks.ts"
import type { AgentId, BlobId, DoorId } from "../../runtime/room/Id.ts"
import { StoreError } from "../../runtime/store/StoreError.ts"
import type { Receipts } from "./Compose.ts"
import type { DoorState } from "./DoorState.ts"
import { githubApp, githubDoor, type GithubDoorServices } from "./GithubDoor.ts"
import type { Member } from "./Mentions.ts"
import type { GithubSettings } from "./Settings.ts"

export const door = "door1" as DoorId
export const ada: Member = { id: "agentada" as AgentId, name: "ada", interests: ["cache"] }
export const bo: Member = { id: "agentbo" as AgentId, name: "bo", interests: ["style"] }

export const settingsOf = (
  app: App,
  gh: { readonly apiUrl: string },
  more: Partial<GithubSettings> = {},
): GithubSettings => ({
  appId: String(app.id),
  privateKey: Redacted.make(app.privateKey),
  webhookSecret: Redacted.make(app.webhookSecret),
  apiUrl: gh.apiUrl,
  workLabel: "agent",
  triage: "off",
  steering: "join",
  operators: [],
  repositories: {},
  ...more,
})

export const testRoom = (members: ReadonlyArray<Member> = [ada, bo]) => {
  const watchers = new Set<() => void>()
  const changed = () => watchers.forEach((look) => look())
  const inbox = new Map<string, Inbound>()
  const keys = new Set<string>()
  const said: Array<InboundMessage> = []
  const states: Array<DoorState> = []
  const blobs = new Map<
    BlobId,
    { readonly bytes: Uint8Array; readonly mime: string; readonly name: string }
  >()
  const room = {
    inbox,
    said,
    states,
    blobs,
    /** While set, the store takes nothing. */
    down: false,
    person: undefined as string | undefined,
    broken: 0,
    lastAt: null as number | null,
    madeAt: Date.now(),
    receipts: undefined as Receipts | undefined,
    links: new Map<string, string>(),
    texts: (): ReadonlyArray<string> => said.map(({ text }) => text),
    until: (condition: () => boolean, what: string): Effect.Effect<void> =>
      Effect.callback<void>((resume) => {
        const look = () => {
          if (!condition()) return
          watchers.delete(look)
          resume(Effect.void)
        }
        watchers.add(look)
        look()
        return Effect.sync(() => void watchers.delete(look))
      }).pipe(
        Effect.timeout("8 seconds"),
        Effect.catch(() =>
          Effect.die(
            new Error(
              `${what}: not within 8 s; states ${JSON.stringify(states)}, said ${JSON.stringify(room.texts())}`,
            ),
          ),
        ),
      ),
  }
  const unavailable = () =>
    new StoreError({ kind: "unavailable", message: "the store is unavailable", cause: "test" })
  const services: GithubDoorServices = {
    members: () => members,
    accept: (batch) =>
      Effect.suspend(() => {
        if (room.down) return Effect.fail(unavailable())
        const accepted = batch.map(({ externalId, message }) => {
          const key = message === undefined ? undefined : `${message.channel} ${message.sourceKey}`
          const duplicate = inbox.has(externalId) || (key !== undefined && keys.has(key))
          return { externalId, duplicate, event: null, thread: null, pos: null }
        })
        for (const [i, inbound] of batch.entries()) {
          inbox.set(inbound.externalId, inbound)
          if (accepted[i]!.duplicate || inbound.message === undefined) continue
          keys.add(`${inbound.message.channel} ${inbound.message.sourceKey}`)
          said.push(inbound.message)
        }
        changed()
        return Effect.succeed(accepted)
      }),
    storeBlob: (bytes, mime, name) =>
      Effect.sync(() => {
        const id = `blob${blobs.size}` as BlobId
        blobs.set(id, { bytes, mime, name })
        return id
      }),
    waiting: Effect.sync(() =>
      [...inbox.values()]
        .filter(
          ({ externalId, raw }) =>
            (raw as { waiting?: boolean } | null)?.waiting === true && !inbox.has(`${externalId}/done`),
        )
        .map(({ externalId, raw }) => ({ externalId, raw: raw as object })),
    ),
    workedFor: () => Effect.succeed(room.person),
    failures: () => Effect.succeed(room.broken),
    link: (code, user) => Effect.sync(() => (room.links.get(code) === user ? "team-chat" : undefined)),
    known: (guids) => Effect.sync(() => new Set(guids.filter((guid) => inbox.has(guid)))),
    heard: (channel, key) =>
      Effect.sync(() =>
        [...keys].some((k) => k === `${channel} ${key}` || k.startsWith(`${channel} ${key}:`)),
      ),
    lastAt: Effect.sync(() => room.lastAt),
    madeAt: Effect.sync(() => room.madeAt),
    agentName: (agent) => members.find((m) => m.id === agent)?.name ?? "agent",
    receipts: () => Effect.sync(() => room.receipts),
    report: (state) =>
      Effect.sync(() => {
        states.push(state)
        changed()
      }),
  }
  return { ...room, room, services, changed }
}

export type TestRoom = ReturnType<typeof testRoom>

/** An emulated GitHub with an organization, a private repository, a person who may write, one who may read, and an App. */
export const scene = Effect.fnUntraced(function* (
  options: Parameters<typeof GithubEmulator.start>[0] & { readonly private?: boolean } = {},
) {
  const gh = yield* GithubEmulator.start(options)
  const acme = gh.organization("acme")
  const eve = gh.person("eve")
  const rob = gh.person("rob")
  const repo: Repo = gh.repo(acme, "web", {
    private: options.private ?? true,
    files: { "main.js": "one\ntwo\nthree\n", "README.md": "# Web\n" },
  })
  gh.allow(repo, eve, "write")
  gh.allow(repo, rob, "read")
  const app = gh.app({ slug: "troupe-app" })
  gh.install(app, [repo])
  return { gh, acme, eve, rob, repo, app }
})

export type Scene = Effect.Success<ReturnType<typeof scene>>

/** The door, open; what GitHub sends is handed to its hook as the web server would. */
export const openDoor = Effect.fnUntraced(function* (
  given: Scene,
  more: Partial<GithubSettings> = {},
  kit: TestRoom = testRoom(),
) {
  const { gh, app } = given
  const hooks = yield* Hooks
  const report = kit.services.report
  const connected = yield* githubApp({ door, name: "repos", settings: settingsOf(app, gh, more), report })
  const outward = yield* githubDoor(connected, kit.services)
  const { handler } = hooks.find("repos")!
  return { ...given, ...kit, kit, connected, outward, hook: handler }
})

/** What GitHub sends reaches the door over a socket, as in production. */
export const listen = Effect.fnUntraced(function* (s: OpenDoor) {
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const headers = request.headers as Record<string, string | undefined>
      void Effect.runPromise(s.hook({ headers, body: Buffer.concat(chunks) })).then(({ status, body }) =>
        response.writeHead(status).end(body),
      )
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      }),
  )
  s.gh.hook(s.app, `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
export type OpenDoor = Effect.Success<ReturnType<typeof openDoor>>

/** A door that hears an emulated GitHub. */
export const hearing = Effect.fnUntraced(function* (
  more: Partial<GithubSettings> = {},
  options: Parameters<typeof scene>[0] = {},
) {
  const s = yield* openDoor(yield* scene(options), more)
  yield* listen(s)
  yield* s.connected.identity
  return s
})
