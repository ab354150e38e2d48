/** The emulator's HTTP: REST below `/api/v3`, git below `/{owner}/{repo}.git`, files below `/attachments`. Who calls is checked here. */
import { createVerify } from "node:crypto"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { ApiError, notFound } from "./ApiError.ts"
import type { Acts } from "./Acts.ts"
import type { Faults } from "./Faults.ts"
import { answer, branchesOf, httpBackend } from "./Git.ts"
import type { Hooks } from "./Hooks.ts"
import type { Limits } from "./Limits.ts"
import { routes, type Answer, type Route } from "./Routes.ts"
import { nameOf, type App, type Repo, type Token, type World } from "./World.ts"

export interface ServerEnv {
  readonly world: World
  readonly acts: Acts
  readonly hooks: Hooks
  readonly faults: Faults
  readonly limits: Limits
  readonly calls: Map<string, number>
  readonly files: Map<string, { readonly bytes: Uint8Array; readonly mime: string }>
  readonly url: () => string
  tokenTtlMs: number
}

const api = "/api/v3"

interface Pattern {
  readonly name: string
  readonly route: Route
  readonly method: string
  readonly parts: ReadonlyArray<string>
}

/** More literal parts first. */
const patterns: ReadonlyArray<Pattern> = Object.entries(routes)
  .map(([name, route]) => {
    const [method = "", path = ""] = name.split(" ")
    return { name, route, method, parts: path.split("/") }
  })
  .toSorted((a, b) => variables(a) - variables(b))
function variables({ parts }: { readonly parts: ReadonlyArray<string> }): number {
  return parts.filter((part) => part.startsWith("{")).length
}

const match = (method: string, path: string) => {
  const given = path.split("/").map(decodeURIComponent)
  for (const pattern of patterns) {
    if (pattern.method !== method || pattern.parts.length !== given.length) continue
    const params: Record<string, string> = {}
    const fits = pattern.parts.every((part, i) => {
      if (!part.startsWith("{")) return part === given[i]
      params[part.slice(1, -1)] = given[i] ?? ""
      return given[i] !== ""
    })
    if (fits) return { ...pattern, params }
  }
  return undefined
}

export const makeServer = (env: ServerEnv): Server =>
  createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("error", () => response.destroy())
    request.on("end", () => {
      const body = Buffer.concat(chunks)
      const path = (request.url ?? "").split("?")[0] ?? ""
      if (path.startsWith(api)) rest(env, request, response, body)
      else if (path.startsWith("/attachments/")) file(env, path, response)
      else void serveGit(env, request, response, body)
    })
  })

function rest(env: ServerEnv, request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const url = new URL(request.url ?? "", env.url())
  const found = match(request.method ?? "GET", url.pathname.slice(api.length))
  const name = found?.name ?? `${request.method} ${url.pathname}`
  env.calls.set(name, (env.calls.get(name) ?? 0) + 1)
  const fault = env.faults.take(name)
  if (fault?.kind === "refuse") return void request.socket.destroy()
  const carryOut = () => {
    try {
      if (fault?.kind === "error") throw new ApiError(fault.status, fault.message, fault.headers)
      if (found === undefined) throw notFound()
      const result = call(env, found, request, url, body)
      if (fault?.kind === "drop") return void request.socket.destroy()
      reply(env, response, result.status ?? 200, result.body, result.headers)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      reply(env, response, error.status, { message: error.message, documentation_url: "" }, error.headers)
    }
  }
  if (fault?.kind === "hold") void fault.until.then(carryOut)
  else carryOut()
}

function call(
  env: ServerEnv,
  { route, params }: { readonly route: Route; readonly params: Readonly<Record<string, string>> },
  request: IncomingMessage,
  url: URL,
  body: Buffer,
): Answer {
  const { world } = env
  const credential = /^(?:bearer|token) (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? ""
  const token = route.needs === "token" ? tokenOf(world, credential) : null
  const app = token?.installation.app ?? (route.needs === "app" ? appOf(world, credential) : undefined)
  const repo = repoOf(env, params, token, url)
  if (token !== null && route.permission !== undefined) demand(token, route.permission)
  if (route.creates === true && token !== null) env.limits.count(token.installation.id, world.now())
  return route.run({
    world,
    acts: env.acts,
    hooks: env.hooks,
    url: env.url(),
    params,
    query: url.searchParams,
    body: parse(body),
    accept: request.headers.accept ?? "",
    tokenTtlMs: env.tokenTtlMs,
    app: app as App,
    token,
    repo: repo as Repo,
    actor: { account: app?.bot as App["bot"], app: app ?? null },
  })
}

function repoOf(
  env: ServerEnv,
  params: Readonly<Record<string, string>>,
  token: Token | null,
  url: URL,
): Repo | undefined {
  if (params["owner"] === undefined) return undefined
  const found = env.world.repo(`${params["owner"]}/${params["repo"] ?? ""}`)
  if (found === undefined || (token !== null && !token.repos.has(found.repo))) throw notFound()
  if (found.moved) {
    const rest = url.pathname.split("/").slice(6).join("/")
    throw new ApiError(301, "Moved Permanently", {
      location: `${env.url()}${api}/repos/${nameOf(found.repo)}/${rest}${url.search}`,
    })
  }
  return found.repo
}

const demand = (token: Token, permission: string): void => {
  const [name = "", level = ""] = permission.split(":")
  const has = name === "metadata" ? "read" : token.permissions[name]
  if (has !== "write" && has !== level) throw new ApiError(403, "Resource not accessible by integration")
}

function tokenOf(world: World, credential: string): Token {
  const token = world.tokens.get(credential)
  if (token === undefined || token.expiresAt <= world.now()) throw new ApiError(401, "Bad credentials")
  return token
}

/** A JWT: RS256, at most ten minutes long, not from the future. */
function appOf(world: World, jwt: string): App {
  const [head = "", claims = "", signature = ""] = jwt.split(".")
  const payload = parse(Buffer.from(claims, "base64url")) as { iss?: unknown; iat?: number; exp?: number }
  const app = world.apps.get(Number(payload.iss))
  const seconds = world.now() / 1000
  if (app === undefined) throw new ApiError(401, "A JSON web token could not be decoded")
  const verify = createVerify("RSA-SHA256").update(`${head}.${claims}`)
  if (!verify.verify(app.publicKey, Buffer.from(signature, "base64url")))
    throw new ApiError(401, "A JSON web token could not be decoded")
  const { iat = 0, exp = 0 } = payload
  if (exp <= seconds)
    throw new ApiError(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    )
  if (exp > seconds + 600) throw new ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
  if (iat > seconds + 5)
    throw new ApiError(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    )
  return app
}

async function serveGit(
  env: ServerEnv,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
): Promise<void> {
  const [path = "", query = ""] = (request.url ?? "").split("?")
  const found = /^\/([^/]+\/[^/]+?)(?:\.git)?(\/(?:info\/refs|git-upload-pack|git-receive-pack))$/.exec(path)
  const repo = found === null ? undefined : env.world.repo(found[1]!)?.repo
  const refuse = (status: number, headers: Record<string, string> = {}) => {
    response.writeHead(status, headers)
    response.end()
  }
  if (found === null) return refuse(404)
  const writes = path.endsWith("git-receive-pack") || query.includes("git-receive-pack")
  const basic = Buffer.from(
    (request.headers.authorization ?? "").replace(/^Basic /i, ""),
    "base64",
  ).toString()
  const token = env.world.tokens.get(basic.slice(basic.indexOf(":") + 1))
  if (token === undefined || token.expiresAt <= env.world.now())
    return refuse(401, { "www-authenticate": 'Basic realm="GitHub"' })
  if (repo === undefined || !token.repos.has(repo)) return refuse(404)
  const level = token.permissions["contents"]
  if (level !== "write" && (writes || level !== "read")) return refuse(403)
  const name = path.endsWith("/info/refs") ? "git info/refs" : writes ? "git receive-pack" : "git upload-pack"
  env.calls.set(name, (env.calls.get(name) ?? 0) + 1)
  const fault = env.faults.take(name)
  if (fault?.kind === "refuse") return void request.socket.destroy()
  if (fault?.kind === "error") return refuse(fault.status, { ...fault.headers })
  if (fault?.kind === "hold") await fault.until
  const before = branchesOf(repo.directory)
  const result = await httpBackend(repo.directory, found[2]!, query, request, body)
  if (name === "git receive-pack") {
    const { app } = token.installation
    env.acts.pushed(repo, { account: app.bot, app }, before)
  }
  if (fault?.kind === "drop") request.socket.destroy()
  else answer(response, result)
}

function file(env: ServerEnv, path: string, response: ServerResponse): void {
  const found = env.files.get(path)
  response.writeHead(found === undefined ? 404 : 200, { "content-type": found?.mime ?? "text/plain" })
  response.end(found?.bytes)
}

const parse = (body: Buffer): Readonly<Record<string, unknown>> => {
  try {
    return body.length === 0 ? {} : (JSON.parse(body.toString("utf8")) as Record<string, unknown>)
  } catch {
    throw new ApiError(400, "Problems parsing JSON")
  }
}

function reply(
  env: ServerEnv,
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = body === null ? "" : JSON.stringify(body)
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    date: new Date(env.world.now()).toUTCString(),
    "content-length": Buffer.byteLength(text),
    ...headers,
  })
  response.end(text)
  env.world.changed()
}
