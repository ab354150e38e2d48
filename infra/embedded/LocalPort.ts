/** Ports of the embedded servers: random, but kept per home, so that what others have written down stays true. */
import * as Effect from "effect/Effect"
import { createServer } from "node:net"

/** `wanted` when it is free on loopback, else a free one. */
export const localPort = (wanted: number | undefined): Effect.Effect<number> =>
  listens(wanted ?? 0).pipe(
    Effect.flatMap((port) => (port === undefined ? localPort(undefined) : Effect.succeed(port))),
  )

const listens = (port: number) =>
  Effect.callback<number | undefined>((resume) => {
    const server = createServer()
    server.once("error", () => resume(Effect.succeed(undefined)))
    server.listen(port, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resume(Effect.succeed(typeof address === "object" ? address?.port : undefined)))
    })
  })
