/** The sandbox's own loopback: connections into it for the port proxy, and out of it to the egress proxy. */
import type { IncomingMessage } from "node:http"
import * as net from "node:net"
import type { Duplex } from "node:stream"

/** Where HTTP_PROXY points; the same number outside, in network/Egress.ts. */
const egressPort = 3128

export const connect = (request: IncomingMessage, client: Duplex, head: Buffer): void => {
  const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(request.url ?? "") ?? []
  const stream = net.connect({ host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) })
  const failed = () => client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n")
  // An orderly end is passed on by the pipes, after what was sent before it.
  client.on("error", () => stream.destroy()).on("close", () => stream.destroy())
  stream.once("error", failed).once("connect", () => {
    stream.off("error", failed).on("error", () => client.destroy())
    client.write("HTTP/1.1 200 Connected\r\n\r\n")
    if (head.length > 0) stream.write(head)
    client.pipe(stream).pipe(client)
  })
}

/** A command may hold the port itself: then nothing goes out, which is its own doing. */
export const carryOut = (socket: string): void => {
  net
    .createServer({ allowHalfOpen: true }, (client) => {
      const outside = net.connect({ path: socket, allowHalfOpen: true })
      client.on("error", () => outside.destroy())
      outside.on("error", () => client.destroy())
      client.pipe(outside).pipe(client)
    })
    .on("error", () => {})
    .listen(egressPort, "127.0.0.1")
}
