/** Take, list, look at, restore and delete checkpoints. The work itself is told line by line, failures included. */
import type { ServerResponse } from "node:http"
import type { Machines } from "../Machines.ts"
import type { Route } from "../Router.ts"
import type { Handler } from "../Server.ts"
import type { SpriteStore } from "../SpriteStore.ts"
import { invalid } from "../Wire.ts"
import type { Checkpoints, Copied } from "./Checkpoints.ts"

/** Clients give up a stream after five silent minutes. */
const sayMillis = 20_000

export const checkpointRoutes = (
  store: SpriteStore,
  machines: Machines,
  checkpoints: Checkpoints,
): ReadonlyArray<Route<Handler>> => [
  {
    method: "POST",
    path: "/v1/sprites/:name/checkpoint",
    handle: async ({ parameter, body, response }) => {
      const { comment } = await body()
      if (comment !== undefined && (typeof comment !== "string" || comment.length > 1000))
        throw invalid("comment is a text of at most 1000 characters.")
      const sprite = await machines.wake(parameter("name"))
      checkpoints.admit(sprite)
      await told(response, `Taking a checkpoint of ${sprite.name}.`, async () => {
        const { id, copied } = await checkpoints.create(sprite, comment)
        return [`${summary(copied)}`, `Checkpoint ${id} created`]
      })
    },
  },
  {
    method: "GET",
    path: "/v1/sprites/:name/checkpoints",
    handle: ({ parameter, json }) => json(200, checkpoints.list(store.get(parameter("name")))),
  },
  {
    method: "GET",
    path: "/v1/sprites/:name/checkpoints/:id",
    handle: ({ parameter, json }) =>
      json(200, checkpoints.get(store.get(parameter("name")), parameter("id"))),
  },
  {
    method: "DELETE",
    path: "/v1/sprites/:name/checkpoints/:id",
    handle: async ({ parameter, empty }) => {
      await checkpoints.remove(store.get(parameter("name")), parameter("id"))
      empty(204)
    },
  },
  {
    method: "POST",
    path: "/v1/sprites/:name/checkpoints/:id/restore",
    handle: async ({ parameter, response, request }) => {
      request.resume()
      const sprite = store.get(parameter("name"))
      const { id } = checkpoints.get(sprite, parameter("id"))
      await told(response, `Restoring ${id}; commands of ${sprite.name} are ended.`, async () => {
        const copied = await checkpoints.restore(sprite, id)
        // Services start again.
        await machines.wake(sprite.name)
        return [summary(copied), `Checkpoint ${id} restored`]
      })
    },
  },
]

const told = async (
  response: ServerResponse,
  begin: string,
  work: () => Promise<readonly [string, string]>,
): Promise<void> => {
  const line = (value: Record<string, unknown>) =>
    response.write(`${JSON.stringify({ ...value, time: new Date().toISOString() })}\n`)
  response.writeHead(200, { "content-type": "application/x-ndjson" })
  line({ type: "info", data: begin })
  const still = setInterval(() => line({ type: "info", data: "Still copying." }), sayMillis)
  try {
    const [info, done] = await work()
    line({ type: "info", data: info })
    line({ type: "complete", data: done })
  } catch (cause) {
    line({ type: "error", error: `It failed: ${cause instanceof Error ? cause.message : String(cause)}.` })
  } finally {
    clearInterval(still)
    response.end()
  }
}

const summary = ({ files, bytes, copied, left }: Copied): string =>
  `${files} files of ${bytes} bytes, ${copied} of them read.` +
  (left === 0 ? "" : ` ${left} sockets, pipes or devices were left out.`)
