/**
 * The wire of the Sprites API, in one table: stream ids, text messages, error shapes, signal names, durations and the
 * query of an exec. Everything the public @fly/sprites client reads or sends is named here and nowhere else.
 */
import * as os from "node:os"

/** Byte 0 of every binary frame of a command without a terminal. */
export const stream = { stdin: 0, stdout: 1, stderr: 2, exit: 3, stdinEof: 4 } as const

export type OutputStream = typeof stream.stdout | typeof stream.stderr

/** The client gives up after 45 s without a data frame; protocol pings do not count. */
export const keepAliveMillis = 20_000
/** Larger frames are accepted by the client, but small ones keep a slow socket responsive. */
export const maxFramePayload = 32 * 1024
/** One `stdin.write` of the client arrives as one frame, whatever its size. */
export const maxInboundFrame = 128 * 1024 * 1024
/** Command, environment and directory travel in the URL of the upgrade. */
export const maxHeaderBytes = 2 * 1024 * 1024

export const home = "/home/sprite"
export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

export const ended = { killed: 137, cannotStart: 126, notFound: 127 } as const

/** An answer that is not 2xx. `code` is for machines, `message` is one sentence for people. */
export class WireError extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
  get body(): string {
    return JSON.stringify({ error: this.code, message: this.message })
  }
}

export const invalid = (message: string): WireError => new WireError(400, "invalid_request", message)
export const unauthorized = (): WireError =>
  new WireError(
    401,
    "unauthorized",
    "The token is missing or wrong. Send it as Authorization: Bearer <token>.",
  )
export const notFound = (what: string): WireError => new WireError(404, "not_found", `There is no ${what}.`)
export const frame = (id: number, payload: Uint8Array): Buffer => {
  const out = Buffer.allocUnsafe(payload.length + 1)
  out[0] = id
  out.set(payload, 1)
  return out
}

export interface SessionDescription {
  readonly id: string
  readonly command: string
  readonly createdMillis: number
  readonly cols: number
  readonly rows: number
  readonly tty: boolean
}

export const sessionInfo = (session: SessionDescription, isOwner: boolean): string =>
  JSON.stringify({
    type: "session_info",
    session_id: session.id,
    command: session.command,
    created: Math.floor(session.createdMillis / 1000),
    cols: session.cols,
    rows: session.rows,
    is_owner: isOwner,
    tty: session.tty,
  })

export const exitMessage = (code: number): string => JSON.stringify({ type: "exit", exit_code: code })

export type ClientMessage =
  | { readonly _tag: "Resize"; readonly cols: number; readonly rows: number }
  | { readonly _tag: "Signal"; readonly signal: NodeJS.Signals }
  | { readonly _tag: "Unknown" }

/** Text that a client sends: a resize or a signal. Whatever else it is, it is ignored. */
export const clientMessage = (text: string): ClientMessage => {
  const message = jsonObject(text)
  if (message?.["type"] === "resize" && isSize(message["cols"]) && isSize(message["rows"])) {
    return { _tag: "Resize", cols: message["cols"], rows: message["rows"] }
  }
  if (message?.["type"] === "signal") {
    const signal = signalNamed(String(message["signal"]))
    if (signal !== undefined) return { _tag: "Signal", signal }
  }
  return { _tag: "Unknown" }
}

const controlPrefix = "control:"

export const controlMessage = (type: "op.complete" | "op.error", args: Record<string, unknown>): string =>
  `${controlPrefix}${JSON.stringify({ type, args })}`

/** The start of a command over a control connection, as the query of an exec; undefined for what asks for nothing. */
export const controlRequest = (text: string): URLSearchParams | undefined => {
  const message = text.startsWith(controlPrefix) ? jsonObject(text.slice(controlPrefix.length)) : undefined
  if (message?.["type"] !== "op.start") return undefined
  const query = new URLSearchParams()
  if (message["op"] !== "exec") return query
  for (const [key, value] of Object.entries(message["args"] ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) query.append(key, String(one))
  }
  return query
}

/** `SIGTERM`, `TERM`, `sigterm` and `15` are one signal. */
export const signalNamed = (name: string): NodeJS.Signals | undefined => {
  const upper = name.toUpperCase()
  for (const [signal, number] of Object.entries(os.constants.signals)) {
    if (upper === signal || `SIG${upper}` === signal || upper === String(number))
      return signal as NodeJS.Signals
  }
  return undefined
}

export const signalNumber = (signal: NodeJS.Signals): number => os.constants.signals[signal]

/** A Go duration (`1m30s`, `500ms`) or a bare number of seconds, in milliseconds. */
export const duration = (text: string): number | undefined => {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  if (!/^(\d+(\.\d+)?(ms|us|µs|ns|h|m|s))+$/.test(text)) return undefined
  const unit: Record<string, number> = {
    h: 3_600_000,
    m: 60_000,
    s: 1000,
    ms: 1,
    us: 1e-3,
    µs: 1e-3,
    ns: 1e-6,
  }
  let total = 0
  for (const [, amount, name] of text.matchAll(/(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)/g)) {
    total += Number(amount) * (unit[name ?? ""] ?? 0)
  }
  return total
}

/** What an exec asks for, decoded from its query. */
export interface ExecRequest {
  readonly argv: readonly [string, ...Array<string>]
  readonly stdin: boolean
  readonly env: Readonly<Record<string, string>>
  readonly directory: string
  readonly terminal: { readonly rows: number; readonly cols: number } | undefined
  /** How long it may go on when nobody is attached, in milliseconds; 0 is for ever. */
  readonly detachedMillis: number
}

export const execRequest = (
  query: URLSearchParams,
  environment: Readonly<Record<string, string>>,
): ExecRequest => {
  const command = query.getAll("cmd")
  const file = query.get("path") ?? command[0]
  if (file === undefined || file === "") throw invalid("Name the command in the parameter cmd.")
  const tty = query.get("tty") === "true"
  const grace = query.get("max_run_after_disconnect")
  const detachedMillis = grace === null ? (tty ? 0 : 10_000) : duration(grace)
  if (detachedMillis === undefined) throw invalid(`max_run_after_disconnect is not a duration: ${grace}.`)
  const given = query.getAll("env")
  const request: ExecRequest = {
    argv: [file, ...command.slice(1)],
    stdin: query.get("stdin") === null ? tty : query.get("stdin") === "true",
    env: given.length === 0 ? defaultEnvironment(environment) : floor(fromPairs(given)),
    directory: query.get("dir") ?? home,
    terminal: tty ? { rows: size(query.get("rows"), 24), cols: size(query.get("cols"), 80) } : undefined,
    detachedMillis,
  }
  const texts = [...request.argv, request.directory, ...Object.entries(request.env).flat()]
  if (texts.some((text) => text.includes("\0"))) throw invalid("A command may not contain a NUL character.")
  return request
}

export const defaultEnvironment = (environment: Readonly<Record<string, string>>): Record<string, string> =>
  floor({
    HOME: home,
    USER: "sprite",
    LOGNAME: "sprite",
    SHELL: "/bin/bash",
    LANG: "C.UTF-8",
    TERM: "xterm-256color",
    ...environment,
  })

/** A shell that finds no SHLVL and a socket as its input takes itself for a remote shell. */
const floor = (env: Record<string, string>): Record<string, string> => ({
  PATH: defaultPath,
  SHLVL: "1",
  ...env,
})

const fromPairs = (pairs: ReadonlyArray<string>): Record<string, string> => {
  const env: Record<string, string> = {}
  for (const pair of pairs) {
    const at = pair.indexOf("=")
    if (at > 0) env[pair.slice(0, at)] = pair.slice(at + 1)
  }
  return env
}

export const isEnvironment = (value: unknown): value is Record<string, string> =>
  typeof value === "object" &&
  value !== null &&
  Object.entries(value).every(
    ([key, text]) => /^[^=\0]+$/.test(key) && typeof text === "string" && !text.includes("\0"),
  )

const isSize = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536

const size = (text: string | null, fallback: number): number => {
  const value = Number(text)
  return isSize(value) ? value : fallback
}

export const jsonObject = (text: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
