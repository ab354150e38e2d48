/** The first words of the NATS protocol, spoken by hand: only to see whom the server lets in. */
import * as Effect from "effect/Effect"
import { connect } from "node:net"

const STRANGER = { verbose: false, pedantic: false, lang: "node", version: "1" }

/** What the server on this port of ours says to a client with this password, or without any. */
export const greet = (
  port: number,
  as: { readonly user?: string; readonly pass?: string } = {},
): Effect.Effect<"refused" | "admitted" | "silent"> =>
  Effect.callback<"refused" | "admitted" | "silent">((resume) => {
    const socket = connect(port, "127.0.0.1")
    const end = (answer: "refused" | "admitted" | "silent") => {
      socket.destroy()
      resume(Effect.succeed(answer))
    }
    let said = ""
    socket.once("connect", () =>
      socket.write(`CONNECT ${JSON.stringify({ ...STRANGER, ...as })}\r\nPING\r\n`),
    )
    socket.on("data", (part) => {
      said += part.toString()
      if (/^-ERR '?Authorization Violation/im.test(said)) end("refused")
      else if (/^PONG/m.test(said)) end("admitted")
    })
    socket.once("error", () => end("silent"))
    socket.once("close", () => end("silent"))
    return Effect.sync(() => socket.destroy())
  }).pipe(Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => Effect.succeed("silent" as const) }))
