/**
 * What a sprite may do. The network policy and the memory limit are enforced. Privileges are fixed here (none at all):
 * a profile that asks for no more is kept and given back, one that asks for more is refused rather than ignored.
 */
import type { Launcher } from "./Launcher.ts"
import { allowsAny, parsePolicy } from "./network/EgressPolicy.ts"
import type { Route } from "./Router.ts"
import type { Handler } from "./Server.ts"
import type { SpriteStore } from "./SpriteStore.ts"
import { invalid, WireError } from "./Wire.ts"

export const policyRoutes = (
  store: SpriteStore,
  launcher: Launcher,
  networkChanged: (name: string) => Promise<void>,
): ReadonlyArray<Route<Handler>> => {
  const path = (kind: string) => `/v1/sprites/:name/policy/${kind}`
  return [
    {
      method: "GET",
      path: path("network"),
      handle: ({ json, parameter }) => json(200, { rules: store.get(parameter("name")).networkRules }),
    },
    {
      method: "POST",
      path: path("network"),
      handle: async ({ empty, parameter, body }) => {
        const { name } = store.get(parameter("name"))
        const networkRules = parsePolicy(await body())
        if (allowsAny(networkRules) && !launcher.sharesNetwork) {
          throw new WireError(
            501,
            "not_supported",
            "Sandboxes have no network on this machine, so none can be allowed; see the limits shown at start.",
          )
        }
        store.update(name, { networkRules })
        await networkChanged(name)
        empty(204)
      },
    },
    {
      method: "GET",
      path: path("privileges"),
      handle: ({ json, parameter }) => json(200, store.get(parameter("name")).privileges ?? {}),
    },
    {
      method: "POST",
      path: path("privileges"),
      handle: async ({ empty, parameter, body }) => {
        const privileges = await body()
        const { profile = "", devices = [], noNewPrivileges = true } = privileges
        if (
          !["", "minimal", "standard"].includes(String(profile)) ||
          !Array.isArray(devices) ||
          devices.length > 0 ||
          noNewPrivileges !== true
        ) {
          throw invalid("A local sandbox has no privileges and no devices, and gets none.")
        }
        store.update(parameter("name"), { privileges })
        empty(204)
      },
    },
    {
      method: "DELETE",
      path: path("privileges"),
      handle: ({ empty, parameter }) => {
        store.update(parameter("name"), { privileges: undefined })
        empty(204)
      },
    },
    {
      method: "GET",
      path: path("resources"),
      handle: ({ json, parameter }) => {
        const { memoryMegabytes } = store.get(parameter("name"))
        json(200, memoryMegabytes === undefined ? {} : { memory: { limit_mb: memoryMegabytes } })
      },
    },
    {
      method: "POST",
      path: path("resources"),
      handle: async ({ empty, parameter, body }) => {
        const { memory } = await body()
        const wanted = (memory as Record<string, unknown> | undefined)?.["limit_mb"]
        const most = Math.floor(launcher.limits.memoryBytes / 1024 ** 2)
        if (
          memory !== undefined &&
          (!Number.isInteger(wanted) || Number(wanted) < 64 || Number(wanted) > most)
        )
          throw invalid(`memory.limit_mb is a whole number from 64 to ${most} here.`)
        store.update(parameter("name"), {
          memoryMegabytes: memory === undefined ? undefined : Number(wanted),
        })
        empty(204)
      },
    },
    {
      method: "DELETE",
      path: path("resources"),
      handle: ({ empty, parameter }) => {
        store.update(parameter("name"), { memoryMegabytes: undefined })
        empty(204)
      },
    },
  ]
}
