/** Create, get, list, change and delete sprites, and what is cheap around that. */
import type { Losses } from "./Losses.ts"
import type { Machines } from "./Machines.ts"
import type { Route } from "./Router.ts"
import type { Handler } from "./Server.ts"
import type { Changes, Sprite, SpriteStore } from "./SpriteStore.ts"
import { watchSprites } from "./SpriteWatch.ts"
import { invalid, isEnvironment } from "./Wire.ts"

const organization = "local"
const defaultPage = 50
const maxPage = 500

export const spriteRoutes = (
  store: SpriteStore,
  machines: Machines,
  losses: Losses,
): ReadonlyArray<Route<Handler>> => {
  const resource = (sprite: Sprite) => ({
    id: sprite.id,
    name: sprite.name,
    organization,
    url: `http://${sprite.name}.localhost`,
    url_settings: sprite.urlSettings,
    status: machines.status(sprite.name),
    created_at: sprite.createdAt,
    updated_at: sprite.updatedAt,
    labels: sprite.labels,
    ...(sprite.config === undefined ? {} : { config: sprite.config }),
    environment: sprite.environment,
  })
  const counts = () => {
    const states = store.list("").map(({ name }) => machines.status(name))
    const number = (state: string) => states.filter((other) => other === state).length
    return {
      name: organization,
      running: number("running"),
      warm: number("warm"),
      cold: number("cold"),
      running_limit: 0,
      warm_limit: 0,
    }
  }

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
      handle: ({ json, query, request, response }) => {
        const prefix = query.get("prefix") ?? ""
        if (request.headers.accept === "application/x-ndjson") {
          const describe = (name: string) => ({ name, status: machines.status(name) })
          return watchSprites(response, store, prefix, describe, counts)
        }
        const after = query.get("continuation_token") ?? ""
        const size = Math.min(Number(query.get("max_results") ?? defaultPage) || defaultPage, maxPage)
        const rest = store.list(prefix).filter((sprite) => sprite.name > after)
        const page = rest.slice(0, size)
        const more = rest.length > page.length
        json(200, {
          sprites: page.map(resource),
          has_more: more,
          next_continuation_token: more ? page.at(-1)?.name : null,
          ...counts(),
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
      handle: async ({ empty, parameter }) => {
        const { name } = store.get(parameter("name"))
        await machines.whileStopped(name, async () => store.delete(name))
        empty(204)
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
      handle: async ({ json, parameter }) => {
        const { name, id } = store.get(parameter("name"))
        await machines.stop(name)
        await machines.wake(name)
        json(202, { sprite_name: name, machine_id: id, message: "All commands were ended." })
      },
    },
    {
      method: "GET",
      path: "/v1/sprites/:name/check",
      handle: async ({ json, parameter }) => {
        const { name, id } = store.get(parameter("name"))
        const begun = performance.now()
        const failure = await machines.check(name)
        const elapsed = (performance.now() - begun) / 1000
        json(200, {
          sprite_name: name,
          sprite_id: id,
          status: failure === undefined ? "ok" : "failed",
          reason: failure ?? losses.of(name) ?? null,
          checked_at: new Date().toISOString(),
          elapsed,
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
