/** Create, get, list, change and delete sprites, and what is cheap around that. */
import type { Filesystem } from "./Filesystem.ts"
import type { Route } from "./Router.ts"
import type { Handler } from "./Server.ts"
import type { SessionRegistry } from "./SessionRegistry.ts"
import type { Changes, Sprite, SpriteStore } from "./SpriteStore.ts"
import { invalid, notSupported } from "./Wire.ts"

const organization = "local"
const defaultPage = 50
const maxPage = 500

export const spriteRoutes = (
  store: SpriteStore,
  sessions: SessionRegistry,
  files: Filesystem,
): ReadonlyArray<Route<Handler>> => {
  const running = (sprite: Sprite) => sessions.list(sprite.name).length > 0
  const resource = (sprite: Sprite) => ({
    id: sprite.id,
    name: sprite.name,
    organization,
    url: `http://${sprite.name}.localhost`,
    url_settings: sprite.urlSettings,
    status: running(sprite) ? "running" : "warm",
    created_at: sprite.createdAt,
    updated_at: sprite.updatedAt,
    labels: sprite.labels,
    ...(sprite.config === undefined ? {} : { config: sprite.config }),
    environment: sprite.environment,
  })
  const endProcesses = (name: string, done: () => void) => sessions.endAll(name, () => files.end(name, done))

  return [
    {
      method: "POST",
      path: "/v1/sprites",
      handle: async ({ json, body }) => {
        const input = await body()
        json(201, resource(store.create(input["name"], changes(input))))
      },
    },
    {
      method: "GET",
      path: "/v1/sprites",
      handle: ({ json, query, request }) => {
        if (request.headers.accept === "application/x-ndjson") throw notSupported("the live list of sprites")
        const all = store.list(query.get("prefix") ?? "")
        const after = query.get("continuation_token") ?? ""
        const size = Math.min(Number(query.get("max_results") ?? defaultPage) || defaultPage, maxPage)
        const rest = all.filter((sprite) => sprite.name > after)
        const page = rest.slice(0, size)
        const more = rest.length > page.length
        const busy = all.filter(running).length
        json(200, {
          sprites: page.map(resource),
          has_more: more,
          next_continuation_token: more ? page.at(-1)?.name : null,
          name: organization,
          running: busy,
          warm: all.length - busy,
          cold: 0,
          running_limit: 0,
          warm_limit: 0,
        })
      },
    },
    {
      method: "GET",
      path: "/v1/sprites/:name",
      handle: ({ json, parameter }) => json(200, resource(store.get(parameter("name")))),
    },
    {
      method: "PUT",
      path: "/v1/sprites/:name",
      handle: async ({ json, parameter, body }) => {
        json(200, resource(store.update(parameter("name"), changes(await body()))))
      },
    },
    {
      method: "DELETE",
      path: "/v1/sprites/:name",
      handle: ({ empty, parameter }) => {
        const { name } = store.get(parameter("name"))
        endProcesses(name, () => {
          store.delete(name)
          empty(204)
        })
      },
    },
    {
      method: "POST",
      path: "/v1/sprites/:name/upgrade",
      handle: ({ empty, parameter }) => {
        store.get(parameter("name"))
        empty(204)
      },
    },
    {
      method: "POST",
      path: "/v1/sprites/:name/restart",
      handle: ({ json, parameter }) => {
        const sprite = store.get(parameter("name"))
        endProcesses(sprite.name, () =>
          json(202, { sprite_name: sprite.name, machine_id: sprite.id, message: "All commands were ended." }),
        )
      },
    },
    {
      method: "GET",
      path: "/v1/sprites/:name/check",
      handle: ({ json, parameter }) => {
        const sprite = store.get(parameter("name"))
        json(200, {
          sprite_name: sprite.name,
          sprite_id: sprite.id,
          status: "ok",
          reason: null,
          checked_at: new Date().toISOString(),
          elapsed: 0,
        })
      },
    },
  ]
}

const changes = (input: Record<string, unknown>): Changes => {
  const { labels, environment } = input
  if (
    labels !== undefined &&
    !(Array.isArray(labels) && labels.every((label) => typeof label === "string"))
  ) {
    throw invalid("labels is a list of texts.")
  }
  if (environment !== undefined && !isEnvironment(environment)) {
    throw invalid("environment maps names to texts.")
  }
  return {
    ...(labels === undefined ? {} : { labels }),
    ...(environment === undefined ? {} : { environment }),
    ...(input["url_settings"] === undefined ? {} : { urlSettings: input["url_settings"] }),
    ...(input["config"] === undefined ? {} : { config: input["config"] }),
  }
}

const isEnvironment = (value: unknown): value is Record<string, string> =>
  typeof value === "object" &&
  value !== null &&
  Object.entries(value).every(
    ([key, text]) => /^[^=\0]+$/.test(key) && typeof text === "string" && !text.includes("\0"),
  )
