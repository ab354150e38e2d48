/** What the API has and this server does not have yet. Each answers plainly; a new feature takes its line out. */
import type { Route } from "./Router.ts"
import type { Handler, UpgradeHandler } from "./Server.ts"
import { notSupported } from "./Wire.ts"

const refusing = (what: string) => (): never => {
  throw notSupported(what)
}

export const laterRoutes: ReadonlyArray<Route<Handler>> = [
  { method: "*", path: "/v1/sprites/:name/checkpoint", handle: refusing("checkpoints") },
  { method: "*", path: "/v1/sprites/:name/checkpoints/*", handle: refusing("checkpoints") },
  { method: "*", path: "/v1/sprites/:name/services/*", handle: refusing("services") },
  { method: "*", path: "/v1/sprites/:name/policy/*", handle: refusing("policies") },
]

export const laterUpgrades: ReadonlyArray<Route<UpgradeHandler>> = [
  { method: "GET", path: "/v1/sprites/:name/proxy", handle: refusing("the port proxy") },
  { method: "GET", path: "/v1/sprites/:name/fs/watch", handle: refusing("watching files") },
  { method: "GET", path: "/v1/sprites/:name/ports/watch", handle: refusing("watching ports") },
]
