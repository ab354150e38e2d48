/** Commands and sessions: start, attach, list, kill, and the command over plain HTTP. */
import type { Filesystem } from "./Filesystem.ts"
import { attachSocket } from "./Attachment.ts"
import { runOverHttp } from "./HttpExec.ts"
import type { Route } from "./Router.ts"
import type { Handler, UpgradeHandler } from "./Server.ts"
import type { SessionRegistry } from "./SessionRegistry.ts"
import type { SpriteStore } from "./SpriteStore.ts"
import { duration, execRequest, invalid, notFound, signalNamed } from "./Wire.ts"

export const execUpgrades = (
  store: SpriteStore,
  sessions: SessionRegistry,
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
      handle: (upgrade) => {
        if (upgrade.query.has("id")) return attach(upgrade)
        const sprite = store.get(upgrade.parameter("name"))
        const request = execRequest(upgrade.query, sprite.environment)
        sessions.admit(sprite)
        // The client is joined before the command can say anything: output comes in later turns of the event loop.
        upgrade.accept((socket) => attachSocket(socket, sessions.start(sprite, request), true))
      },
    },
    { method: "GET", path: "/v1/sprites/:name/exec/:id", handle: attach },
    {
      method: "GET",
      path: "/v1/sprites/:name/control",
      handle: () => {
        // The client then runs each command over a connection of its own, which is what we want.
        throw notFound("control connection on this server")
      },
    },
  ]
}

export const execRoutes = (store: SpriteStore, sessions: SessionRegistry): ReadonlyArray<Route<Handler>> => [
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
    handle: ({ request, response, query, parameter }) => {
      const sprite = store.get(parameter("name"))
      const wanted = execRequest(query, sprite.environment)
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

export const fileRoutes = (store: SpriteStore, files: Filesystem): ReadonlyArray<Route<Handler>> =>
  operations.map(([method, operation]) => ({
    method,
    path: `/v1/sprites/:name/fs/${operation}`,
    handle: ({ request, response, query, parameter }) =>
      files.handle(store.get(parameter("name")), operation, query.toString(), request, response),
  }))
