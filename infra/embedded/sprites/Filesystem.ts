/** The file API: requests and answers are passed on to and from the agent inside, as they are. */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Agents } from "./Agents.ts"
import type { Sprite } from "./SpriteStore.ts"

export const passOn = async (
  agents: Agents,
  sprite: Sprite,
  operation: string,
  query: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const loan = await agents.borrow(sprite).catch((cause: unknown) => {
    refuse(request, response, cause instanceof Error ? cause.message : String(cause))
  })
  if (loan === undefined) return
  if (response.destroyed) return loan.release()
  const { "content-length": length, "content-type": type } = request.headers
  const inner = loan.request({
    method: request.method,
    path: `/${operation}?${query}`,
    headers: { ...(length && { "content-length": length }), ...(type && { "content-type": type }) },
  })
  inner
    .on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 500, { "content-type": answer.headers["content-type"] })
      answer.pipe(response)
      answer.on("error", () => response.destroy())
    })
    .on("error", (cause) => {
      if (response.headersSent) response.destroy()
      else refuse(request, response, `The file server of the sandbox does not answer: ${cause.message}`)
    })
  response.on("close", () => {
    loan.release()
    if (!response.writableFinished) inner.destroy()
  })
  request.pipe(inner)
}

const refuse = (request: IncomingMessage, response: ServerResponse, message: string): void => {
  request.resume()
  response
    .writeHead(500, { "content-type": "application/json" })
    .end(JSON.stringify({ error: message, code: "EIO" }))
}
