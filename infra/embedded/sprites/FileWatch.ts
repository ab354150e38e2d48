/** Changes of files as they happen: one WebSocket a watcher, fed by the agent inside, which alone sees the files. */
import { createInterface } from "node:readline"
import type { WebSocket } from "ws"
import type { Agents, Loan } from "./Agents.ts"
import type { Sprite } from "./SpriteStore.ts"
import { jsonObject } from "./Wire.ts"

/** A watcher that does not read is let go rather than kept in memory. */
const maxUnread = 4 * 1024 * 1024

export const watchFiles = (socket: WebSocket, agents: Agents, sprite: Sprite): void => {
  let loan: Loan | undefined
  const fail = (message: string) => {
    if (socket.readyState !== socket.OPEN) return
    socket.send(JSON.stringify({ type: "error", message }))
    socket.close(1000)
  }
  const subscribe = async (text: string) => {
    const wanted = jsonObject(text)
    const paths = wanted?.["paths"]
    if (wanted?.["type"] !== "subscribe" || !Array.isArray(paths) || paths.length === 0) {
      return fail('Begin with {"type":"subscribe","paths":[...]}.')
    }
    loan = await agents.borrow(sprite)
    const inner = loan.request({ method: "POST", path: "/watch" })
    inner.on("error", () => fail("The watch ended with the file server of the sandbox.")).end(text)
    inner.on("response", (answer) => {
      createInterface({ input: answer })
        .on("line", (line) => {
          if (socket.bufferedAmount > maxUnread) socket.terminate()
          else if (socket.readyState === socket.OPEN) socket.send(line)
        })
        // It repeats the failures of its input.
        .on("error", () => {})
      answer.on("error", () => {}).on("close", () => fail("The watch ended."))
    })
    socket.on("close", () => inner.destroy())
    if (socket.readyState !== socket.OPEN) inner.destroy()
  }
  socket
    .once("message", (data: Buffer) => {
      subscribe(data.toString("utf8")).catch((cause: unknown) =>
        fail(cause instanceof Error ? cause.message : String(cause)),
      )
    })
    .on("error", () => socket.terminate())
    .on("close", () => loan?.release())
}
