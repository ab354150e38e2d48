/**
 * `POST /v1/messages` on node:http: reads the request, asks `answer` what to say, writes it. An answer without delays
 * goes out as one burst in one write. Shared by the emulator and the rehearsal model.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { errorBody, eventsOf, isFailure, messageOf, sse } from "./Wire.ts"
import type { Answer, Failure, MessagesRequest, Speech, WireUsage } from "./Wire.ts"

export interface Arrived {
  readonly headers: IncomingHttpHeaders
  readonly raw: Buffer
  readonly request: MessagesRequest
}
export interface Answering {
  readonly answer: Answer
  readonly usage: WireUsage
  /** The client closed the connection before its answer was complete. */
  readonly onHangUp?: () => void
}

/** Listens on loopback until the scope closes; open answers are cut then. The base URL, without a slash at its end. */
export const serveMessages = (
  port: number,
  answering: (arrived: Arrived) => Answering,
): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<Server>((resume) => {
        const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
          handle(request, response, answering).catch(() => response.destroy())
        })
        server.once("error", (error) => resume(Effect.die(error)))
        server.listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        }),
    ),
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  )

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  answering: (arrived: Arrived) => Answering,
): Promise<void> {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const raw = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
  if (request.method !== "POST" || request.url?.split("?")[0] !== "/v1/messages")
    return writeFailure(response, { status: 404, type: "not_found_error", message: "Not found" })
  const body = parse(raw)
  if (body === null)
    return writeFailure(response, {
      status: 400,
      type: "invalid_request_error",
      message: "The request body is not valid JSON",
    })
  const { answer, usage, onHangUp } = answering({ headers: request.headers, raw, request: body })
  response.once("close", () => {
    if (!response.writableEnded && !cutByUs.has(response)) onHangUp?.()
  })
  if (answer.delayMs) await sleep(answer.delayMs)
  if (response.destroyed) return
  if (isFailure(answer)) return writeFailure(response, answer)
  if (body.stream !== true)
    return writeJson(response, 200, JSON.stringify(messageOf(answer, body.model, usage)), answer.headers)
  return writeStream(response, answer, eventsOf(answer, body.model, usage).map(sse))
}

const cutByUs = new WeakSet<ServerResponse>()

const parse = (raw: Buffer): MessagesRequest | null => {
  try {
    const body: unknown = JSON.parse(raw.toString("utf8"))
    return typeof body === "object" && body !== null ? (body as MessagesRequest) : null
  } catch {
    return null
  }
}

function writeFailure(response: ServerResponse, failure: Failure): void {
  if (failure.status === "silence") return
  if (failure.status === "reset") {
    cutByUs.add(response)
    response.socket?.resetAndDestroy()
    return
  }
  const body = errorBody(failure.type ?? "api_error", failure.message ?? "", failure.errorCode)
  writeJson(response, failure.status, body, failure.headers)
}

function writeJson(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> | undefined,
): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "request-id": "req_emulated",
    ...headers,
  })
  response.end(body)
}

async function writeStream(
  response: ServerResponse,
  speech: Speech,
  events: ReadonlyArray<string>,
): Promise<void> {
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "request-id": "req_emulated",
    ...speech.headers,
  })
  const last = Math.min(
    events.length,
    speech.cutAfter ?? Infinity,
    speech.endAfter ?? Infinity,
    speech.hangAfter ?? Infinity,
    speech.errorAfter?.events ?? Infinity,
  )
  if (speech.eventDelayMs) {
    for (const event of events.slice(0, last)) {
      if (response.destroyed) return
      response.write(event)
      await sleep(speech.eventDelayMs)
    }
  }
  const burst = speech.eventDelayMs ? "" : events.slice(0, last).join("")
  if (speech.errorAfter)
    return void response.end(
      burst + `event: error\ndata: ${errorBody(speech.errorAfter.type, speech.errorAfter.message)}\n\n`,
    )
  if (speech.hangAfter !== undefined) {
    response.flushHeaders()
    if (burst !== "") response.write(burst)
    return
  }
  if (speech.cutAfter !== undefined) {
    response.flushHeaders()
    await new Promise<void>((resolve) => response.write(burst === "" ? ":\n\n" : burst, () => resolve()))
    cutByUs.add(response)
    response.socket?.destroy()
    return
  }
  response.end(burst)
}
