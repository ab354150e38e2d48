/**
 * The HTTP and WebSocket server: checks the token of every request and every upgrade, finds the route, and turns what
 * a handler throws into the API's error shape. Listens on loopback only.
 */
import { createHash, timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"
import { type WebSocket, WebSocketServer } from "ws"
import { match, type Route } from "./Router.ts"
import { invalid, jsonObject, maxHeaderBytes, maxInboundFrame, unauthorized, WireError } from "./Wire.ts"

const maxJsonBytes = 1024 * 1024

const goingAway = 1001
const internalError = 1011
const goodbyeMillis = 200

interface Call {
  readonly request: IncomingMessage
  readonly query: URLSearchParams
  readonly parameter: (name: string) => string
}

export interface Exchange extends Call {
  readonly response: ServerResponse
  readonly body: () => Promise<Record<string, unknown>>
  readonly json: (status: number, value: unknown) => void
  readonly empty: (status: number) => void
}

export interface Upgrade extends Call {
  readonly accept: (connected: (socket: WebSocket) => void) => void
}

/** Throws (or rejects with) a WireError to refuse. */
export type Handler = (exchange: Exchange) => void | Promise<void>
/** Throws (or rejects with) a WireError to refuse the upgrade. */
export type UpgradeHandler = (upgrade: Upgrade) => void | Promise<void>

export interface LocalServer {
  readonly server: Server
  /** Takes no more connections and ends those that are open. */
  readonly close: (done: () => void) => void
}

export const makeServer = (
  token: string,
  routes: ReadonlyArray<Route<Handler>>,
  upgrades: ReadonlyArray<Route<UpgradeHandler>>,
): LocalServer => {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxInboundFrame,
  })
  const server = createServer({ maxHeaderSize: maxHeaderBytes, requestTimeout: 0, noDelay: true })

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const handle = async () => {
      authorize(request, token)
      const { path, query } = target(request)
      const found = match(routes, request.method ?? "GET", path)
      await found.handle({
        request,
        response,
        query,
        parameter: (name) => found.parameters[name] ?? "",
        body: () => readJson(request),
        json: (status, value) => answer(response, status, JSON.stringify(value)),
        empty: (status) => void response.writeHead(status).end(),
      })
    }
    handle().catch((cause: unknown) => {
      const error = known(cause)
      request.resume()
      if (response.headersSent) response.destroy()
      else answer(response, error.status, error.body)
    })
  })

  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy())
    const handle = async () => {
      authorize(request, token)
      const { path, query } = target(request)
      const found = match(upgrades, request.method ?? "GET", path)
      await found.handle({
        request,
        query,
        parameter: (name) => found.parameters[name] ?? "",
        accept: (connected) =>
          sockets.handleUpgrade(request, socket, head, (accepted) => {
            try {
              connected(accepted)
            } catch {
              // The machine has no descriptors or no disk left: that is the end of this connection, not of the server.
              accepted.close(internalError)
            }
          }),
      })
    }
    handle().catch((cause: unknown) => {
      const { status, body } = known(cause)
      socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\n` +
          `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      )
    })
  })
  const close = (done: () => void) => {
    server.close(() => done())
    server.closeAllConnections()
    // An abrupt end of an idle control connection is an error nobody hears in the client: say good-bye.
    for (const socket of sockets.clients) socket.close(goingAway)
    setTimeout(() => {
      for (const socket of sockets.clients) socket.terminate()
    }, goodbyeMillis)
  }
  return { server, close }
}

const authorize = (request: IncomingMessage, token: string): void => {
  const given = request.headers.authorization ?? ""
  if (!timingSafeEqual(digest(given), digest(`Bearer ${token}`))) throw unauthorized()
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

const target = (request: IncomingMessage) => {
  const [path = "/", ...rest] = (request.url ?? "/").split("?")
  return { path, query: new URLSearchParams(rest.join("?")) }
}

const readJson = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
  const chunks: Array<Buffer> = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxJsonBytes) throw invalid("The body is larger than 1 MiB.")
    chunks.push(chunk)
  }
  const value = jsonObject(Buffer.concat(chunks).toString("utf8"))
  if (value === undefined) throw invalid("The body is not a JSON object.")
  return value
}

const answer = (response: ServerResponse, status: number, body: string): void => {
  response.writeHead(status, { "content-type": "application/json" }).end(body)
}

/** The message of an unexpected failure may name files of the host; the client gets none of it. */
const known = (cause: unknown): WireError =>
  cause instanceof WireError
    ? cause
    : new WireError(500, "internal_error", "The local Sprites server failed at this; see its log.")
