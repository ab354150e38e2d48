/**
 * Control mode: one connection for many commands, one after the other. Frames are those of an exec, but resizes and
 * signals come as JSON inside binary frames, and the begin and end of each command as `control:` texts.
 */
import type { RawData, WebSocket } from "ws"
import { joined } from "./Attachment.ts"
import type { Session } from "./Session.ts"
import type { SessionRegistry } from "./SessionRegistry.ts"
import type { Sprite } from "./SpriteStore.ts"
import {
  clientMessage,
  controlMessage,
  controlRequest,
  execRequest,
  frame,
  keepAliveMillis,
  maxFramePayload,
  sessionInfo,
  stream,
  WireError,
} from "./Wire.ts"

export const control = (socket: WebSocket, sprite: Sprite, sessions: SessionRegistry): void => {
  let current: Session | undefined
  let leave = () => {}
  const fail = (error: string) => socket.send(controlMessage("op.error", { error }))

  const begin = (text: string) => {
    const query = controlRequest(text)
    if (query === undefined) return
    if (current !== undefined) return fail("A command runs on this connection; wait for its end.")
    try {
      const request = execRequest(query, sprite.environment)
      sessions.admit(sprite)
      current = sessions.start(sprite, request)
      leave = join(socket, current, () => (current = undefined))
    } catch (cause) {
      fail(cause instanceof WireError ? cause.message : "The command could not be started.")
    }
  }
  const take = (bytes: Buffer) => {
    if (current === undefined) return
    const message = bytes[0] === 0x7b ? clientMessage(bytes.toString("utf8")) : undefined
    if (message !== undefined && message._tag !== "Unknown") current.control(message)
    else if (current.request.terminal !== undefined) current.write(bytes)
    else if (bytes[0] === stream.stdin) current.write(bytes.subarray(1))
    else if (bytes[0] === stream.stdinEof) current.endInput()
  }
  const alive = setInterval(() => socket.send('{"type":"keepalive"}'), keepAliveMillis)
  socket
    .on("message", (data: RawData, isBinary) => {
      const bytes = joined(data)
      if (isBinary) take(bytes)
      else begin(bytes.toString("utf8"))
    })
    .on("error", () => socket.terminate())
    .on("close", () => {
      clearInterval(alive)
      leave()
    })
}

const join = (socket: WebSocket, session: Session, over: () => void): (() => void) => {
  const { tty } = session.description()
  const attachment = {
    isOwner: true,
    pending: () => socket.bufferedAmount,
    output: (from: typeof stream.stdout | typeof stream.stderr, bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += maxFramePayload) {
        const part = bytes.subarray(at, at + maxFramePayload)
        socket.send(tty ? part : frame(from, part), { binary: true }, session.flushed)
      }
    },
    ended: (code: number) => {
      over()
      if (!tty) socket.send(frame(stream.exit, Uint8Array.of(code)))
      // Without the code here the client would take every failure for a success.
      socket.send(controlMessage("op.complete", { exitCode: code }))
    },
    drop: () => socket.terminate(),
  }
  socket.send(sessionInfo(session.description(), true))
  session.attach(attachment)
  return () => session.detach(attachment)
}
