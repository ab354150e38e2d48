/**
 * A command over plain HTTP. The client takes each chunk that its fetch hands out for one frame, so a frame is one
 * HTTP chunk, written only after the one before has left: pausing in between is part of the protocol.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Session } from "./Session.ts"
import { frame, stream } from "./Wire.ts"

/** Small enough to arrive in one piece however narrow the connection's window is at the moment. */
const payload = 8 * 1024

export const runOverHttp = (session: Session, request: IncomingMessage, response: ServerResponse): void => {
  const queue: Array<Buffer> = []
  let pending = 0
  let sending = false
  let over = false
  const next = (): void => {
    const part = queue.shift()
    if (part === undefined) {
      sending = false
      if (over) response.end()
      return
    }
    sending = true
    response.write(part, () => {
      pending -= part.length
      session.flushed()
      // One turn of the event loop reads what a client in this very process was sent.
      setTimeout(() => setImmediate(next), 1)
    })
  }
  const send = (part: Buffer) => {
    queue.push(part)
    pending += part.length
    if (!sending) next()
  }
  response.socket?.setNoDelay(true)
  response.writeHead(200, { "content-type": "application/octet-stream" })
  response.flushHeaders()
  request.on("data", (bytes: Buffer) => session.write(bytes)).on("end", () => session.endInput())
  response.on("close", () => {
    if (!over) session.signal("SIGKILL")
  })
  session.attach({
    isOwner: true,
    pending: () => pending,
    output: (from, bytes) => {
      for (let at = 0; at < bytes.length; at += payload) send(frame(from, bytes.subarray(at, at + payload)))
    },
    ended: (code) => {
      over = true
      send(frame(stream.exit, Uint8Array.of(code)))
    },
    drop: () => response.destroy(),
  })
}
