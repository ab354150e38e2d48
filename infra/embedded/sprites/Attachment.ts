/**
 * One client on one session, over a WebSocket. Sends frames with their stream id, or raw bytes for a terminal; keeps
 * the client's inactivity timer quiet with an empty frame; ends a connection whose other side is gone.
 */
import type { RawData, WebSocket } from "ws"
import type { Session } from "./Session.ts"
import {
  clientMessage,
  exitMessage,
  frame,
  keepAliveMillis,
  maxFramePayload,
  type OutputStream,
  sessionInfo,
  stream,
} from "./Wire.ts"

/** Input that the command has not taken is kept in memory up to this; then the client has to wait. */
const maxPendingInput = 16 * 1024 * 1024

export interface Attachment {
  readonly isOwner: boolean
  /** Output that the client has not taken, in bytes. */
  readonly pending: () => number
  readonly output: (from: OutputStream, bytes: Buffer) => void
  readonly ended: (code: number) => void
  readonly drop: () => void
}

/** Joins a client to a session: description, then history, then what is live, in one go. */
export const attachSocket = (socket: WebSocket, session: Session, isOwner: boolean): void => {
  const { tty } = session.description()
  let heard = true
  let paused = false
  const attachment: Attachment = {
    isOwner,
    pending: () => socket.bufferedAmount,
    output: (from, bytes) => {
      for (let at = 0; at < bytes.length; at += maxFramePayload) {
        const part = bytes.subarray(at, at + maxFramePayload)
        socket.send(tty ? part : frame(from, part), { binary: true }, session.flushed)
      }
    },
    ended: (code) => {
      if (!tty) socket.send(frame(stream.exit, Uint8Array.of(code)))
      socket.send(exitMessage(code))
      socket.close(1000)
    },
    drop: () => socket.terminate(),
  }
  const alive = setInterval(() => {
    if (!heard && !paused) return socket.terminate()
    heard = false
    socket.send(Buffer.alloc(0), { binary: true })
    socket.ping()
  }, keepAliveMillis)
  const takeInput = (bytes: Uint8Array) => {
    session.write(bytes)
    if (session.pendingInput() > maxPendingInput && !paused) waitForInput()
  }
  const waitForInput = () => {
    paused = true
    socket.pause()
    const again = setInterval(() => {
      if (session.pendingInput() > maxPendingInput / 2 && socket.readyState === socket.OPEN) return
      clearInterval(again)
      paused = false
      socket.resume()
    }, 50)
  }
  socket
    .on("pong", () => (heard = true))
    .on("message", (data, isBinary) => {
      heard = true
      const bytes = joined(data)
      if (!isBinary) return session.control(clientMessage(bytes.toString("utf8")))
      if (bytes.length === 0) return
      if (tty) return takeInput(bytes)
      if (bytes[0] === stream.stdin) takeInput(bytes.subarray(1))
      else if (bytes[0] === stream.stdinEof) session.endInput()
    })
    .on("error", () => socket.terminate())
    .on("close", () => {
      clearInterval(alive)
      session.detach(attachment)
    })
  socket.send(sessionInfo(session.description(), isOwner))
  session.attach(attachment)
}

export const joined = (data: RawData): Buffer =>
  Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data)
