/**
 * The one way out of a sandbox: an HTTP proxy for each sprite, on a Unix socket that only the agent of that sprite can
 * see. Commands find it by HTTP_PROXY and HTTPS_PROXY on their own loopback; there is no other route, no DNS and no raw
 * address. For each request the host is checked against the sprite's policy, its name is resolved here, once, every
 * address it has must be public, and the connection goes to just that address: a name that changes its mind afterwards
 * changes nothing. Live connections are cut when the policy no longer allows them.
 */
import * as dns from "node:dns/promises"
import * as fs from "node:fs"
import * as http from "node:http"
import * as net from "node:net"
import type { Duplex } from "node:stream"
import type { Sprite, SpriteStore } from "../SpriteStore.ts"
import { allows, normal } from "./EgressPolicy.ts"
import { isPublic } from "./PublicAddress.ts"

/** On the loopback of each sprite; the same number inside, in agent/Ports.ts. */
export const egressPort = 3128
const maxConnections = 256
const connectMillis = 20_000

const proxy = `http://127.0.0.1:${egressPort}`
const own = "localhost,127.0.0.1,::1"
export const proxyEnvironment: Readonly<Record<string, string>> = {
  HTTP_PROXY: proxy,
  HTTPS_PROXY: proxy,
  http_proxy: proxy,
  https_proxy: proxy,
  NO_PROXY: own,
  no_proxy: own,
  NODE_USE_ENV_PROXY: "1",
}

/** How the world outside is met; a test puts its own in place. */
export interface Outside {
  readonly lookup: (host: string) => Promise<ReadonlyArray<string>>
  readonly connect: (address: string, port: number) => net.Socket
}

export const internet: Outside = {
  lookup: async (host) => (await dns.lookup(host, { all: true })).map(({ address }) => address),
  connect: (host, port) => net.connect({ host, port }),
}

interface Live {
  readonly host: string
  readonly sockets: ReadonlyArray<Duplex>
}

class Refusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export class Egress {
  readonly #store: SpriteStore
  readonly #outside: Outside
  readonly #live = new Map<string, Set<Live>>()

  constructor(store: SpriteStore, outside: Outside) {
    this.#store = store
    this.#outside = outside
  }

  listen(sprite: Sprite, path: string): { readonly close: () => void } {
    const { name } = sprite
    const server = http.createServer({ requestTimeout: 0 })
    server
      .on("connect", (request: http.IncomingMessage, client: Duplex, head: Buffer) => {
        client.on("error", () => client.destroy())
        this.#tunnel(name, request.url ?? "", client, head).catch((cause: unknown) => {
          const { status, message } = refusalOf(cause)
          client.end(
            `HTTP/1.1 ${status} ${reason(message)}\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n${message}\n`,
          )
        })
      })
      .on("request", (request: http.IncomingMessage, response: http.ServerResponse) => {
        this.#forward(name, request, response).catch((cause: unknown) => {
          const { status, message } = refusalOf(cause)
          if (response.headersSent) return void response.destroy()
          request.resume()
          response
            .writeHead(status, { "content-type": "text/plain", connection: "close" })
            .end(`${message}\n`)
        })
      })
      .on("clientError", (_: Error, socket: Duplex) => socket.destroy())
      .on("error", () => {})
      .listen(path, () => fs.chmodSync(path, 0o666))
    return {
      close: () => {
        server.close()
        server.closeAllConnections()
        this.#cut(name, () => true)
      },
    }
  }

  /** Ends what the policy of a sprite does not allow any more. */
  enforce(name: string): void {
    const { networkRules } = this.#store.get(name)
    this.#cut(name, (live) => !allows(networkRules, live.host))
  }

  #cut(name: string, which: (live: Live) => boolean): void {
    for (const live of this.#live.get(name) ?? []) {
      if (which(live)) for (const socket of live.sockets) socket.destroy()
    }
  }

  async #tunnel(name: string, target: string, client: Duplex, head: Buffer): Promise<void> {
    const [, host = "", port = ""] = /^(.+):(\d{1,5})$/.exec(target) ?? []
    const outside = await this.#open(name, host, Number(port), client)
    client.write("HTTP/1.1 200 Connected\r\n\r\n")
    if (head.length > 0) outside.write(head)
    // An orderly end is passed on by the pipes, after what was sent before it.
    client.on("close", () => outside.destroy())
    outside.on("close", (hadError) => {
      if (hadError) client.destroy()
    })
    client.pipe(outside).pipe(client)
  }

  async #forward(name: string, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = URL.canParse(request.url ?? "") ? new URL(request.url ?? "") : undefined
    if (url?.protocol !== "http:")
      throw new Refusal(400, "This is a proxy for http:// addresses and CONNECT.")
    const socket = await this.#open(name, url.hostname, Number(url.port || 80), request.socket)
    const headers: http.OutgoingHttpHeaders = { ...request.headers, host: url.host, connection: "close" }
    for (const hop of ["proxy-connection", "proxy-authorization", "keep-alive", "te", "trailer", "upgrade"])
      delete headers[hop]
    const outer = http.request({
      createConnection: () => socket,
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers,
      setHost: false,
    })
    outer
      .on("response", (answer) => {
        const { connection: _, "keep-alive": __, ...kept } = answer.headers
        response.writeHead(answer.statusCode ?? 502, kept)
        answer.on("error", () => response.destroy()).pipe(response)
      })
      .on("error", (cause) => {
        if (response.headersSent) response.destroy()
        else response.writeHead(502, { "content-type": "text/plain" }).end(`${cause.message}\n`)
      })
    response.on("close", () => outer.destroy())
    request.pipe(outer)
  }

  /** A connection to a host that the policy allows, at the one address that was looked at. */
  async #open(name: string, given: string, port: number, client: Duplex): Promise<net.Socket> {
    const host = normal(given)
    if (host === undefined || port < 1 || port > 65_535)
      throw new Refusal(400, `${given}:${port} is no address.`)
    const check = () => {
      if (allows(this.#store.get(name).networkRules, host)) return
      throw new Refusal(
        403,
        `The network policy of this sandbox does not allow ${host}. Its owner can allow it.`,
      )
    }
    check()
    const live = this.#live.get(name) ?? new Set<Live>()
    this.#live.set(name, live)
    if (live.size >= maxConnections)
      throw new Refusal(503, `More than ${maxConnections} connections are open.`)
    const addresses = net.isIP(host) === 0 ? await this.#lookup(host) : [host]
    if (!addresses.every(isPublic)) {
      throw new Refusal(403, `${host} is not on the public internet; a sandbox may not reach it.`)
    }
    // The policy may have changed while the name was resolved.
    check()
    const socket = await this.#connect(addresses, port)
    const entry: Live = { host, sockets: [client, socket] }
    live.add(entry)
    socket.on("error", () => {}).on("close", () => live.delete(entry))
    if (client.destroyed) socket.destroy()
    return socket
  }

  async #lookup(host: string): Promise<ReadonlyArray<string>> {
    const found = await this.#outside.lookup(host).catch(() => [])
    if (found.length === 0) throw new Refusal(502, `The name ${host} cannot be resolved.`)
    return found
  }

  /** The first that answers, at most three. */
  async #connect(addresses: ReadonlyArray<string>, port: number): Promise<net.Socket> {
    let failure = "it has no address"
    for (const address of addresses.slice(0, 3)) {
      const { promise, resolve } = Promise.withResolvers<net.Socket | string>()
      const socket = this.#outside.connect(address, port).setNoDelay(true)
      const timer = setTimeout(() => socket.destroy(new Error("no answer in time")), connectMillis)
      socket.once("connect", () => resolve(socket)).once("error", (cause) => resolve(cause.message))
      const result = await promise
      clearTimeout(timer)
      if (typeof result !== "string") return result
      failure = result
    }
    throw new Refusal(502, `The host does not answer: ${failure}.`)
  }
}

const refusalOf = (cause: unknown): Refusal =>
  cause instanceof Refusal ? cause : new Refusal(502, "The proxy of the sandbox failed at this.")

/** Of a status line: what most programs show. */
const reason = (message: string): string => message.replace(/[^\x20-\x7e]/g, "?")
