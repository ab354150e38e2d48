/** Commands and sessions: start, attach, list, kill, and the command over plain HTTP. */
import type { Agents } from "./Agents.ts"
import { attachSocket } from "./Attachment.ts"
import { control } from "./Control.ts"
import { passOn } from "./Filesystem.ts"
import { watchFiles } from "./FileWatch.ts"
import { runOverHttp } from "./HttpExec.ts"
import type { Machines } from "./Machines.ts"
import { watchPorts } from "./network/Ports.ts"
import { proxyPort } from "./network/PortProxy.ts"
import type { Route } from "./Router.ts"
import type { Handler, UpgradeHandler } from "./Server.ts"
import type { SessionRegistry } from "./SessionRegistry.ts"
import type { SpriteStore } from "./SpriteStore.ts"
import { duration, execRequest, invalid, signalNamed } from "./Wire.ts"

export const execUpgrades = (
  store: SpriteStore,
  machines: Machines,
  sessions: SessionRegistry,
  agents: Agents,
): ReadonlyArray<Route<UpgradeHandler>> => {
  const attach: UpgradeHandler = ({ parameter, query, accept }) => {
    const { name } = store.get(parameter("name"))
    const session = sessions.get(name, parameter("id") || (query.get("id") ?? ""))
    accept((socket) => attachSocket(socket, session, false))
  }
  return [
    {
      method: "GET",
      path: "/v1/sprites/:name/exec",
      handle: async (upgrade) => {
        if (upgrade.query.has("id")) return attach(upgrade)
        const { environment } = store.get(upgrade.parameter("name"))
        const request = execRequest(upgrade.query, environment)
        const sprite = await machines.wake(upgrade.parameter("name"))
        sessions.admit(sprite)
        // The client is joined before the command can say anything: output comes in later turns of the event loop.
        upgrade.accept((socket) => attachSocket(socket, sessions.start(sprite, request), true))
      },
    },
    { method: "GET", path: "/v1/sprites/:name/exec/:id", handle: attach },
    {
      method: "GET",
      path: "/v1/sprites/:name/control",
      handle: async ({ parameter, accept }) => {
        const sprite = await machines.wake(parameter("name"))
        accept((socket) => control(socket, sprite, sessions))
      },
    },
    {
      method: "GET",
      path: "/v1/sprites/:name/fs/watch",
      handle: async ({ parameter, accept }) => {
        const sprite = await machines.wake(parameter("name"))
        accept((socket) => watchFiles(socket, agents, sprite))
      },
    },
    {
      method: "GET",
      path: "/v1/sprites/:name/proxy",
      handle: async ({ parameter, accept }) => {
        const sprite = await machines.wake(parameter("name"))
        accept((socket) => proxyPort(socket, agents, sprite))
      },
    },
    {
      method: "GET",
      path: "/v1/sprites/:name/ports/watch",
      handle: ({ parameter, accept }) => {
        const { name } = store.get(parameter("name"))
        accept((socket) => watchPorts(socket, () => sessions.all(name)))
      },
    },
  ]
}

export const execRoutes = (
  store: SpriteStore,
  machines: Machines,
  sessions: SessionRegistry,
): ReadonlyArray<Route<Handler>> => [
  {
    method: "GET",
    path: "/v1/sprites/:name/exec",
    handle: ({ json, parameter }) => {
      const listed = sessions.list(store.get(parameter("name")).name).map((session) => session.listed())
      json(200, { sessions: listed, count: listed.length })
    },
  },
  {
    method: "POST",
    path: "/v1/sprites/:name/exec",
    handle: async ({ request, response, query, parameter }) => {
      const { environment } = store.get(parameter("name"))
      const wanted = execRequest(query, environment)
      const sprite = await machines.wake(parameter("name"))
      sessions.admit(sprite)
      const session = sessions.start(sprite, { ...wanted, terminal: undefined })
      runOverHttp(session, request, response)
    },
  },
  {
    method: "POST",
    path: "/v1/sprites/:name/exec/:id/kill",
    handle: ({ response, query, parameter }) => {
      const session = sessions.get(store.get(parameter("name")).name, parameter("id"))
      const signal = signalNamed(query.get("signal") ?? "SIGTERM")
      const patience = duration(query.get("timeout") ?? "10s")
      if (signal === undefined) throw invalid(`There is no signal called ${query.get("signal")}.`)
      if (patience === undefined) throw invalid(`timeout is not a duration: ${query.get("timeout")}.`)
      const line = (value: unknown) => response.write(`${JSON.stringify(value)}\n`)
      let killed = false
      const escalate = setTimeout(() => {
        killed = true
        line({ type: "timeout", message: `The command still runs after ${patience / 1000} s; it is killed.` })
        session.signal("SIGKILL")
      }, patience)
      response.writeHead(200, { "content-type": "application/x-ndjson" })
      line({ type: "signal", message: `Sent ${signal}.`, signal, pid: session.pid })
      session.onEnd((code) => {
        clearTimeout(escalate)
        line(
          killed
            ? { type: "killed", message: "The command was killed." }
            : { type: "exited", message: "The command ended." },
        )
        line({ type: "complete", exit_code: code })
        response.end()
      })
      session.signal(signal)
    },
  },
]

const operations: ReadonlyArray<readonly [string, string]> = [
  ["GET", "read"],
  ["PUT", "write"],
  ["GET", "list"],
  ["DELETE", "delete"],
  ["POST", "rename"],
  ["POST", "copy"],
  ["POST", "chmod"],
  ["POST", "chown"],
]

export const fileRoutes = (machines: Machines, agents: Agents): ReadonlyArray<Route<Handler>> =>
  operations.map(([method, operation]) => ({
    method,
    path: `/v1/sprites/:name/fs/${operation}`,
    handle: async ({ request, response, query, parameter }) =>
      passOn(agents, await machines.wake(parameter("name")), operation, query.toString(), request, response),
  }))
