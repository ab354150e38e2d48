/** Every page has an address. All but the rooms come in chunks of their own, when they are first opened. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Navigate,
} from "@tanstack/react-router"
import { RoomsPage } from "./rooms/RoomsPage.tsx"
import { Shell } from "./shell/Shell.tsx"
import { Empty, Page } from "./ui/Page.tsx"

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => (
    <Page title="Not here">
      <Empty title="There is no such page">The navigation leads to those that are.</Empty>
    </Page>
  ),
})

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: () => <Navigate to="/rooms" replace />,
})
const rooms = createRoute({ getParentRoute: () => root, path: "/rooms", component: RoomsPage })
export const roomRoute = createRoute({ getParentRoute: () => rooms, path: "$room" })

const agents = createRoute({
  getParentRoute: () => root,
  path: "/agents",
  component: lazyRouteComponent(() => import("./agents/AgentsPage.tsx"), "AgentsPage"),
})
const newAgent = createRoute({
  getParentRoute: () => root,
  path: "/agents/new",
  component: lazyRouteComponent(() => import("./agents/NewAgentPage.tsx"), "NewAgentPage"),
})
const agent = createRoute({
  getParentRoute: () => root,
  path: "/agents/$agent",
  component: lazyRouteComponent(() => import("./agents/AgentPage.tsx"), "AgentPage"),
})
const activity = createRoute({
  getParentRoute: () => root,
  path: "/activity",
  component: lazyRouteComponent(() => import("./activity/ActivityPage.tsx"), "ActivityPage"),
})
const money = createRoute({
  getParentRoute: () => root,
  path: "/money",
  component: lazyRouteComponent(() => import("./money/MoneyPage.tsx"), "MoneyPage"),
})
const integrations = createRoute({
  getParentRoute: () => root,
  path: "/integrations",
  component: lazyRouteComponent(() => import("./integrations/IntegrationsPage.tsx"), "IntegrationsPage"),
})
const sandboxes = createRoute({
  getParentRoute: () => root,
  path: "/sandboxes",
  component: lazyRouteComponent(() => import("./sandboxes/SandboxesPage.tsx"), "SandboxesPage"),
})
const bus = createRoute({
  getParentRoute: () => root,
  path: "/bus",
  component: lazyRouteComponent(() => import("./bus/BusPage.tsx"), "BusPage"),
})
const actors = createRoute({
  getParentRoute: () => root,
  path: "/actors",
  component: lazyRouteComponent(() => import("./actors/ActorsPage.tsx"), "ActorsPage"),
})
const people = createRoute({
  getParentRoute: () => root,
  path: "/people",
  component: lazyRouteComponent(() => import("./people/PeoplePage.tsx"), "PeoplePage"),
})
const secrets = createRoute({
  getParentRoute: () => root,
  path: "/secrets",
  component: lazyRouteComponent(() => import("./secrets/SecretsPage.tsx"), "SecretsPage"),
})
const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("./settings/SettingsPage.tsx"), "SettingsPage"),
})

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    rooms.addChildren([roomRoute]),
    agents,
    newAgent,
    agent,
    activity,
    money,
    integrations,
    sandboxes,
    bus,
    actors,
    people,
    secrets,
    settings,
  ]),
  defaultPreload: "intent",
  scrollRestoration: false,
})

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router
  }
}
