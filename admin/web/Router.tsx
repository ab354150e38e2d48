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
const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("./settings/SettingsPage.tsx"), "SettingsPage"),
})

export const router = createRouter({
  routeTree: root.addChildren([home, rooms.addChildren([roomRoute]), agents, settings]),
  defaultPreload: "intent",
  scrollRestoration: false,
})

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router
  }
}
