/** Define, start, stop, watch and delete services. What happens is told line by line for as long as was asked for. */
import type { ServerResponse } from "node:http"
import type { Machines } from "../Machines.ts"
import type { Route } from "../Router.ts"
import type { Handler } from "../Server.ts"
import type { SpriteStore } from "../SpriteStore.ts"
import { duration, invalid, isEnvironment, signalNamed } from "../Wire.ts"
import type { ServiceEvent, ServiceLog } from "./ServiceLog.ts"
import type { Definition, Services } from "./Services.ts"

const heartbeatMillis = 20_000

export const serviceRoutes = (
  store: SpriteStore,
  machines: Machines,
  services: Services,
): ReadonlyArray<Route<Handler>> => {
  const base = "/v1/sprites/:name/services"
  const awake = async (name: string, query: URLSearchParams) => {
    const watched = millis(query.get("duration") ?? "5s", "duration")
    return { sprite: await machines.wake(name), watched }
  }
  return [
    {
      method: "GET",
      path: base,
      handle: ({ json, parameter }) => json(200, services.list(store.get(parameter("name")).name)),
    },
    {
      method: "POST",
      path: `${base}/signal`,
      handle: async ({ empty, parameter, body }) => {
        const { name, signal } = await body()
        const known = signalNamed(String(signal))
        if (known === undefined) throw invalid(`There is no signal called ${String(signal)}.`)
        services.signal(parameter("name"), String(name), known)
        empty(204)
      },
    },
    {
      method: "GET",
      path: `${base}/:service`,
      handle: ({ json, parameter }) => json(200, services.get(parameter("name"), parameter("service"))),
    },
    {
      method: "PUT",
      path: `${base}/:service`,
      handle: async ({ parameter, query, body, response }) => {
        const definition = parse(parameter("service"), await body())
        const { sprite, watched } = await awake(parameter("name"), query)
        if (services.exists(sprite.name, definition.name)) await services.halt(sprite.name, definition.name)
        services.define(sprite.name, definition)
        tell(response, services.log(sprite.name, definition.name), watched, [], () =>
          services.start(sprite, definition.name),
        )
      },
    },
    {
      method: "DELETE",
      path: `${base}/:service`,
      handle: async ({ empty, parameter }) => {
        await services.remove(store.get(parameter("name")).name, parameter("service"))
        empty(204)
      },
    },
    {
      method: "POST",
      path: `${base}/:service/start`,
      handle: async ({ parameter, query, response }) => {
        const { sprite, watched } = await awake(parameter("name"), query)
        const name = parameter("service")
        tell(response, services.log(sprite.name, name), watched, [], () => services.start(sprite, name))
      },
    },
    {
      method: "POST",
      path: `${base}/:service/restart`,
      handle: async ({ parameter, query, response }) => {
        const { sprite, watched } = await awake(parameter("name"), query)
        const name = parameter("service")
        const log = services.log(sprite.name, name)
        await services.halt(sprite.name, name)
        tell(response, log, watched, [], () => services.start(sprite, name))
      },
    },
    {
      method: "POST",
      path: `${base}/:service/stop`,
      handle: async ({ parameter, query, response }) => {
        const { name } = store.get(parameter("name"))
        const patience = millis(query.get("timeout") ?? "10s", "timeout")
        const log = services.log(name, parameter("service"))
        const stopping = services.stop(name, parameter("service"), patience)
        // A refusal comes before the first line, or not at all.
        await Promise.race([stopping, Promise.resolve()])
        tell(response, log, Number.POSITIVE_INFINITY, log.tail(undefined).slice(-1), () => {}, stopping)
      },
    },
    {
      method: "GET",
      path: `${base}/:service/logs`,
      handle: ({ parameter, query, response }) => {
        const lines = query.get("lines")
        if (lines !== null && !/^\d{1,7}$/.test(lines)) throw invalid("lines is a number.")
        const watched = millis(query.get("duration") ?? "0", "duration")
        const log = services.log(parameter("name"), parameter("service"))
        tell(response, log, watched, log.tail(lines === null ? undefined : Number(lines)), () => {})
      },
    },
  ]
}

/** Tells what is kept, then what happens, until the time is over, the service has ended, or `until` has come. */
const tell = (
  response: ServerResponse,
  log: ServiceLog,
  watched: number,
  kept: ReadonlyArray<ServiceEvent>,
  begin: () => void,
  until?: Promise<void>,
): void => {
  const line = (value: unknown) => response.write(`${JSON.stringify(value)}\n`)
  const following = { stop: () => {} }
  const finish = () => {
    following.stop()
    clearTimeout(timer)
    clearInterval(alive)
    if (response.writableEnded) return
    line({ type: "complete", timestamp: Date.now(), log_files: {} })
    response.end()
  }
  const early: Array<ServiceEvent> = []
  let open = false
  following.stop = log.follow((event) => {
    if (!open) return void early.push(event)
    line(event)
    if (event.type === "exit" && until === undefined) setImmediate(finish)
  })
  try {
    // What it refuses is still an answer of its own.
    begin()
  } catch (cause) {
    following.stop()
    throw cause
  }
  response.writeHead(200, { "content-type": "application/x-ndjson" })
  open = true
  for (const event of [...kept, ...early]) line(event)
  const timer = setTimeout(finish, Math.min(watched, 2 ** 31 - 1))
  const alive = setInterval(() => response.write("\n"), heartbeatMillis)
  response.on("close", finish)
  void until?.then(finish, finish)
}

const millis = (text: string, what: string): number => {
  const value = duration(text)
  if (value === undefined) throw invalid(`${what} is not a duration: ${text}.`)
  return value
}

const parse = (name: string, body: Record<string, unknown>): Definition => {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name) || name === "signal")
    throw invalid("A service's name is at most 63 letters, digits, dots, dashes and underscores, and not signal.")
  const { cmd, args = [], env, dir, needs = [], http_port: port = null } = body
  const texts = (value: unknown): value is Array<string> =>
    Array.isArray(value) && value.every((item) => typeof item === "string" && !item.includes("\0"))
  if (typeof cmd !== "string" || cmd === "" || cmd.includes("\0")) throw invalid("Name the command in cmd.")
  if (!texts(args)) throw invalid("args is a list of texts.")
  if (!texts(needs)) throw invalid("needs is a list of names of services.")
  if (env !== undefined && !isEnvironment(env)) throw invalid("env maps names to texts.")
  if (dir !== undefined && (typeof dir !== "string" || dir.includes("\0"))) throw invalid("dir is a path.")
  if (port !== null && !(Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536))
    throw invalid("http_port is a port number.")
  return { name, cmd, args, env, dir, needs, http_port: port === null ? null : Number(port) }
} // prettier-ignore
