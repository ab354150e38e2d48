/**
 * TCP into a sprite: one WebSocket a connection. The agent inside connects, so the only network that can be reached is
 * the sprite's own loopback.
 */
import type { Duplex } from "node:stream"
import type { WebSocket } from "ws"
import type { Agents, Loan } from "../Agents.ts"
import type { Sprite } from "../SpriteStore.ts"
import { jsonObject } from "../Wire.ts"

const maxUnread = 1024 * 1024

export const proxyPort = (socket: WebSocket, agents: Agents, sprite: Sprite): void => {
  let loan: Loan | undefined
  socket
    .once("message", (data: Buffer, isBinary) => {
      const target = isBinary ? undefined : targetOf(data.toString("utf8"))
      if (target === undefined) return refuse(socket, 'Begin with {"host":"localhost","port":1234}.')
      connect(socket, agents, sprite, target, (given) => (loan = given)).catch((cause: unknown) =>
        refuse(socket, cause instanceof Error ? cause.message : String(cause)),
      )
    })
    .on("error", () => socket.terminate())
    .on("close", () => loan?.release())
}

const connect = async (
  socket: WebSocket,
  agents: Agents,
  sprite: Sprite,
  target: string,
  keep: (loan: Loan) => void,
): Promise<void> => {
  const loan = await agents.borrow(sprite)
  keep(loan)
  if (socket.readyState !== socket.OPEN) return loan.release()
  const inner = loan.request({ method: "CONNECT", path: target, agent: false })
  inner
    .on("connect", (answer, stream: Duplex, head: Buffer) => {
      if (answer.statusCode !== 200) {
        stream.destroy()
        return refuse(socket, `Nothing answers at ${target} in ${sprite.name}.`)
      }
      socket.send(JSON.stringify({ status: "connected", target }))
      join(socket, stream)
      if (head.length > 0) stream.unshift(head)
    })
    .on("error", () => refuse(socket, "The sandbox does not answer."))
    .end()
  socket.on("close", () => inner.destroy())
}

const join = (socket: WebSocket, stream: Duplex): void => {
  stream
    .on("data", (bytes: Buffer) => {
      socket.send(bytes, { binary: true }, () => {
        if (stream.isPaused() && socket.bufferedAmount < maxUnread) stream.resume()
      })
      if (socket.bufferedAmount > maxUnread) stream.pause()
    })
    .on("end", () => socket.close(1000))
    .on("error", () => socket.close(1000))
    .on("close", () => socket.close(1000))
  socket
    .on("message", (data: Buffer, isBinary) => {
      if (!isBinary || stream.write(data)) return
      socket.pause()
      stream.once("drain", () => socket.resume())
    })
    .on("close", () => stream.destroy())
}

const refuse = (socket: WebSocket, message: string): void => {
  if (socket.readyState !== socket.OPEN) return
  socket.send(JSON.stringify({ status: "error", message }))
  socket.close(1000)
}

const targetOf = (text: string): string | undefined => {
  const message = jsonObject(text)
  const port = message?.["port"]
  const host = message?.["host"] ?? "localhost"
  if (typeof host !== "string" || !/^[\w.:-]{1,255}$/.test(host)) return undefined
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`
}
