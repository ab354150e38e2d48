/** `troupe start`: servers, company, doors and the page, as one scoped effect that says where everything is. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { resolve } from "node:path"
import { env } from "node:process"
import { builtinTools, withGithubTools } from "../actors/conversation/tools/index.ts"
import { forgetQuietRooms } from "../actors/janitor/index.ts"
import { layerNetwork, makeReaper, layerPostgres, Shell } from "../actors/sprite/index.ts"
import { Anthropic, cheapestModel, priceAt, rehearsalModel } from "../integrations/anthropic/index.ts"
import { Github } from "../integrations/github/index.ts"
import { Sprites } from "../integrations/sprites/index.ts"
import {
  Accounts,
  AgentsDesk,
  Audit,
  Insight,
  LiveRoomsRuntime,
  People,
  ServerOptions,
  WebServer,
  type Status,
} from "../admin/index.ts"
import { Bus, Company, Hooks, Roster, Settings, TroupeYaml } from "../runtime/index.ts"
import { applying } from "./Applying.ts"
import { banner } from "./Banner.ts"
import * as BusUsers from "./BusUsers.ts"
import { Doors, integrationTypes } from "./Doors.ts"
import { layerGithubApps } from "./GithubDoors.ts"
import { metrics } from "./Metrics.ts"
import { servers } from "./Servers.ts"
import { layerActors, layerRoom, layerStaff, layerStore } from "./Troupe.ts"

/** For agents that name none. */
const defaultModel = "claude-sonnet-5-5"

export const start = Effect.gen(function* () {
  const settings = yield* Settings
  const config = yield* TroupeYaml.load(settings.configFile, { env, types: integrationTypes }).pipe(
    Effect.provide(NodeFileSystem.layer),
  )
  const at = yield* servers
  const store = yield* Layer.build(layerStore(at.database, { current: at.encryptionKey, former: [] }))
  const ws = yield* Company.workspace.pipe(Effect.provideContext(store))

  const model = Option.getOrElse(settings.model, () => defaultModel)
  const sandboxes = Sprites.layer({ baseUrl: at.sprites.url, token: at.sprites.token })
  const staff = layerStaff({
    budgets: { ...config.budgets, prices: config.prices },
    triageModel: at.anthropic.rehearsal
      ? rehearsalModel
      : priceAt(model, new Date()) === undefined
        ? model
        : cheapestModel(new Date()),
    modelOf: (agent) => (at.anthropic.rehearsal ? rehearsalModel : (agent.model ?? model)),
    tools: withGithubTools(builtinTools),
    reap: Effect.andThen(
      reaping(makeReaper({ workspace: ws })),
      forgetQuietRooms(config.keep.quietRooms ?? null),
    ),
  }).pipe(
    Layer.provide(
      Github.layer({ directory: resolve(settings.home, "github"), path: env["PATH"] ?? "/usr/bin:/bin" }),
    ),
    Layer.provide(Shell.layer({ workspace: ws })),
    Layer.provide(Layer.merge(layerPostgres, layerNetwork.pipe(Layer.provide(sandboxes)))),
    Layer.provide(Anthropic.layer(at.anthropic)),
  )
  const web = config.integrations.find((i) => i.type === "web")?.name ?? "web"
  const page = WebServer.layer.pipe(
    Layer.provide(
      Layer.unwrap(
        Effect.gen(function* () {
          const doors = yield* Doors
          const bus = yield* Bus
          const status = Effect.map(bus.state, ({ connected }): Status => ({
            rehearsal: at.anthropic.rehearsal,
            parts: at.parts.map(({ name, where }) => ({
              name,
              where: name === "NATS" && !connected ? `${where}: not connected` : where,
            })),
            integrations: doors.reports(),
          }))
          const notReady = Effect.map(bus.state, ({ connected }) => [
            ...(connected ? [] : ["NATS is not connected."]),
            ...doors
              .reports()
              .filter((d) => d.state !== "connected")
              .map((d) => `${d.name}: ${d.detail ?? d.state}`),
          ])
          return Layer.merge(
            LiveRoomsRuntime.layer({ door: web, status }),
            ServerOptions.layer({
              cliToken: at.cliToken,
              notReady,
              metrics: yield* metrics,
              apply: yield* applying(config),
            }),
          )
        }),
      ),
    ),
    Layer.provide([Accounts.layer, AgentsDesk.layer, Audit.layer, Insight.layer, People.layer]),
    Layer.provide(sandboxes),
  )
  const doors = Doors.layer(Option.getOrNull(settings.publicUrl)).pipe(Layer.provideMerge(layerGithubApps))
  const all = Layer.merge(page, BusUsers.layer(at)).pipe(
    Layer.provideMerge(staff),
    Layer.provideMerge(doors),
    Layer.provideMerge(layerActors),
    Layer.provideMerge(layerRoom({ database: at.database, nats: at.nats }, ws, config)),
    Layer.provideMerge(Layer.succeedContext(store)),
    Layer.provideMerge(Hooks.layer),
  )
  const services = yield* Layer.build(all)
  yield* banner(at, config).pipe(Effect.provideContext(services))
})

/** Sandboxes of agents that left, shells nobody owns. */
const reaping = (reap: ReturnType<typeof makeReaper>) =>
  Effect.flatMap(Roster, (roster) => reap([...roster.now().agents.keys()]))
