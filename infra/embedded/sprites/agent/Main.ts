/**
 * The server's helper inside one sandbox: files and ports over HTTP on a Unix socket that only the Sprites server can
 * reach. The first argument is the directory of its sockets; with `egress` as the second it also carries connections to
 * the egress proxy out. It says `ready` when it listens, and ends when its input ends.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { home, modeOf, OperationError, openToRead, openToWrite, resolved, written } from "./Operations.ts"
import * as operations from "./Operations.ts"
import { carryOut, connect } from "./Ports.ts"
import { watch } from "./Watch.ts"

const statuses: Record<string, number> = {
  ENOENT: 404,
  EISDIR: 400,
  ENOTDIR: 400,
  EINVAL: 400,
  ENAMETOOLONG: 400,
  ELOOP: 400,
  EACCES: 403,
  EPERM: 403,
  EROFS: 403,
  EEXIST: 409,
  ENOTEMPTY: 409,
}

const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const url = new URL(request.url ?? "/", "http://sandbox")
  const flag = (name: string) => url.searchParams.get(name) === "true"
  const at = resolved(
    required(url.searchParams.get("path"), request),
    url.searchParams.get("workingDir") ?? home,
  )
  const operation = `${request.method} ${url.pathname}`
  if (operation === "GET /read") {
    await using file = await openToRead(at)
    response.writeHead(200, { "content-type": "application/octet-stream" })
    await pipeline(file.createReadStream({ autoClose: false }), response)
    return
  }
  if (operation === "PUT /write") {
    const mode = url.searchParams.get("mode")
    const parents = flag("mkdirParents") || flag("mkdir")
    await using file = await openToWrite(at, parents, mode === null ? undefined : modeOf(mode))
    for await (const chunk of request) await file.appendFile(chunk)
    return answer(response, 200, await written(at, file))
  }
  if (operation === "GET /list") {
    const pattern = url.searchParams.get("pattern") ?? undefined
    return answer(response, 200, await operations.list(at, flag("recursive"), pattern))
  }
  if (operation === "DELETE /delete")
    return answer(response, 200, await operations.remove(at, flag("recursive")))

  const body = await json(request)
  const named = (key: string) => {
    const name = body[key]
    if (typeof name !== "string" || name === "") throw new OperationError("EINVAL", `Name the ${key}.`)
    return resolved(name, typeof body["workingDir"] === "string" ? body["workingDir"] : home)
  }
  const recursive = body["recursive"] === true
  switch (operation) {
    case "POST /watch": {
      const paths = Array.isArray(body["paths"]) ? body["paths"].map(String) : []
      const directory = typeof body["workingDir"] === "string" ? body["workingDir"] : "/"
      return watch(
        paths.map((name) => resolved(name, directory)),
        recursive,
        response,
      )
    }
    case "POST /rename":
      return answer(response, 200, await operations.rename(named("source"), named("dest")))
    case "POST /copy": {
      const preserve = body["preserveAttrs"] === true
      return answer(response, 200, await operations.copy(named("source"), named("dest"), recursive, preserve))
    }
    case "POST /chmod":
      return answer(
        response,
        200,
        await operations.chmod(named("path"), modeOf(String(body["mode"])), recursive),
      )
    case "POST /chown":
      return answer(response, 200, await operations.chown(named("path"), body["uid"], body["gid"], recursive))
    default:
      throw new OperationError("EINVAL", `There is no file operation ${operation}.`)
  }
}

/** GET, PUT and DELETE name their path in the query; the others in their body. */
const required = (path: string | null, request: IncomingMessage): string => {
  if (request.method === "POST") return "/"
  if (path === null || path === "") throw new OperationError("EINVAL", "Name the path.")
  return path
}

const json = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk)
  const value = parsed(Buffer.concat(chunks).toString("utf8"))
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>
  throw new OperationError("EINVAL", "The body is not a JSON object.")
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const answer = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
}

const fail = (request: IncomingMessage, response: ServerResponse, cause: unknown): void => {
  request.resume()
  if (response.headersSent) return void response.destroy()
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "EIO"
  const message = cause instanceof Error ? cause.message : String(cause)
  const path = new URL(request.url ?? "/", "http://sandbox").searchParams.get("path") ?? undefined
  answer(response, statuses[code] ?? 500, { error: message, code, path })
}

const server = createServer((request, response) => {
  serve(request, response).catch((cause: unknown) => fail(request, response, cause))
})
// The one client keeps its connections as long as it lives.
server.keepAliveTimeout = 0
server.on("connect", connect)
const sockets = process.argv[2] ?? "."
if (process.argv[3] === "egress") carryOut(join(sockets, "egress"))
server.listen(join(sockets, "agent"), () => process.stdout.write("ready\n"))
process.stdin.on("end", () => process.exit(0)).resume()
