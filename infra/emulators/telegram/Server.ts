/** The emulator's HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`, kept lean so that it is never the bottleneck. */
import { createServer } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import { ApiError } from "./ApiError.ts"
import { botMethods } from "./BotMethods.ts"
import type { Bot, MethodWorld, Upload } from "./BotMethods.ts"
import type { Faults } from "./Faults.ts"
import type { Json } from "./Wire.ts"

export interface ServerWorld extends MethodWorld {
  readonly bots: ReadonlyMap<string, Bot>
  readonly faults: Faults
  readonly calls: Map<string, number>
  /** Told after each call that was carried out. */
  readonly watchers: Set<() => void>
}

export const makeServer = (env: ServerWorld): Server =>
  createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("error", () => response.destroy())
    request.on("end", () => route(env, request, response, Buffer.concat(chunks)))
  })

function route(env: ServerWorld, request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const [path = "", query] = (request.url ?? "").split("?")
  const file = /^\/file\/bot([^/]+)\/(.+)$/.exec(path)
  if (file !== null) return sendFile(env, response, file[1]!, file[2]!)
  const call = /^\/bot([^/]+)\/(\w+)$/.exec(path)
  const bot = call === null ? undefined : env.bots.get(decodeURIComponent(call[1]!))
  const name = call?.[2] ?? ""
  env.calls.set(name, (env.calls.get(name) ?? 0) + 1)
  if (call === null) return refuse(response, new ApiError(404, "Not Found"))
  if (bot === undefined) return refuse(response, new ApiError(401, "Unauthorized"))

  const fault = env.faults.take(name)
  if (fault?.kind === "refuse") return void request.socket.destroy()
  if (fault?.kind === "error")
    return refuse(
      response,
      new ApiError(
        fault.code,
        fault.description,
        fault.retryAfter === undefined ? undefined : { retry_after: fault.retryAfter },
      ),
    )
  const carryOut = async () => {
    try {
      const params = await parameters(request, query, body)
      if (name === "getUpdates") return poll(bot, params, request, response, fault?.kind === "drop")
      const method = botMethods[name]
      if (method === undefined) throw new ApiError(404, "Not Found: method not found")
      const result = method(bot, params, env)
      if (fault?.kind === "drop") request.socket.destroy()
      else reply(response, 200, { ok: true, result })
      for (const look of env.watchers) look()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      refuse(response, error)
    }
  }
  if (fault?.kind === "hold") void fault.until.then(carryOut)
  else void carryOut()
}

function poll(
  bot: Bot,
  params: Json,
  request: IncomingMessage,
  response: ServerResponse,
  drop: boolean,
): void {
  const number = (name: string) => (params[name] === undefined ? null : Number(params[name]))
  bot.updates.allow(params["allowed_updates"])
  const done = (answer: ReadonlyArray<Json> | ApiError) => {
    if (drop) request.socket.destroy()
    else if (answer instanceof ApiError) refuse(response, answer)
    else reply(response, 200, { ok: true, result: answer })
  }
  response.on("close", () => bot.updates.forget(done))
  bot.updates.poll(number("offset"), Math.min(number("limit") ?? 100, 100), number("timeout") ?? 0, done)
}

async function parameters(request: IncomingMessage, query: string | undefined, body: Buffer): Promise<Json> {
  const fromQuery = query === undefined ? {} : Object.fromEntries(new URLSearchParams(query))
  if (body.length === 0) return fromQuery
  const type = request.headers["content-type"] ?? ""
  if (type.includes("multipart")) return { ...fromQuery, ...(await multipart(body, type)) }
  if (!type.includes("json"))
    return { ...fromQuery, ...Object.fromEntries(new URLSearchParams(body.toString("utf8"))) }
  try {
    return { ...fromQuery, ...(JSON.parse(body.toString("utf8")) as Json) }
  } catch {
    throw new ApiError(400, "Bad Request: can't parse the request body as JSON")
  }
}

/** Fields that are no text are JSON; files are found by their name, as `attach://<name>` means them. */
async function multipart(body: Buffer, type: string): Promise<Json> {
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData()
  const params: Record<string, unknown> = {}
  const files = new Map<string, Upload>()
  for (const [name, value] of form)
    if (typeof value === "string") params[name] = /^[[{]/.test(value) ? (JSON.parse(value) as unknown) : value
    else files.set(name, { name: value.name, bytes: new Uint8Array(await value.arrayBuffer()) })
  return { ...params, uploads: files }
}

function sendFile(env: ServerWorld, response: ServerResponse, token: string, path: string): void {
  env.calls.set("file", (env.calls.get("file") ?? 0) + 1)
  if (!env.bots.has(decodeURIComponent(token))) return refuse(response, new ApiError(401, "Unauthorized"))
  const fault = env.faults.take("file")
  if (fault?.kind === "refuse") return void response.destroy()
  if (fault?.kind === "error") return refuse(response, new ApiError(fault.code, fault.description))
  const send = () => {
    for (const file of env.world.files.values())
      if (file.path === path) {
        response.writeHead(200, {
          "content-type": "application/octet-stream",
          "content-length": file.bytes.length,
        })
        return void response.end(file.bytes)
      }
    refuse(response, new ApiError(404, "Not Found"))
  }
  if (fault?.kind === "hold") void fault.until.then(send)
  else send()
}

function refuse(response: ServerResponse, { code, message, parameters }: ApiError): void {
  reply(response, code, {
    ok: false,
    error_code: code,
    description: message,
    ...(parameters === undefined ? {} : { parameters }),
  })
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  })
  response.end(text)
}
