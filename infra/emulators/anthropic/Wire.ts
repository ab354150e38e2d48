/**
 * The Messages API on the wire: what a request looks like, what a scripted answer is, and how it becomes server-sent
 * events. Pure; shared by the emulator and the rehearsal model so that the format is written once.
 */
import { randomBytes } from "node:crypto"

export type Json = Readonly<Record<string, unknown>>
export interface WireBlock extends Json {
  readonly type: string
}
export interface WireMessage {
  readonly role: string
  readonly content: string | ReadonlyArray<WireBlock>
}
export interface MessagesRequest {
  readonly model: string
  readonly max_tokens: number
  readonly stream?: boolean
  readonly system?: string | ReadonlyArray<WireBlock>
  readonly tools?: ReadonlyArray<Json & { readonly name?: string }>
  readonly messages: ReadonlyArray<WireMessage>
  readonly thinking?: Json
  readonly [key: string]: unknown
}

export interface WireUsage {
  readonly input_tokens: number
  readonly cache_creation_input_tokens: number
  readonly cache_read_input_tokens: number
  readonly output_tokens: number
}

/** An answer with status 200. A `tool_use` block may carry `partialJson`, sent as it is in place of its `input`. */
export interface Speech {
  readonly content: ReadonlyArray<WireBlock>
  /** `tool_use` when a block is one, else `end_turn`. */
  readonly stopReason?: string
  readonly stopDetails?: Json
  readonly usage?: Partial<WireUsage>
  readonly model?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Silence before the first byte, and between events. */
  readonly delayMs?: number
  readonly eventDelayMs?: number
  /** Text is cut into deltas of about this many characters; whole blocks otherwise. */
  readonly deltaChars?: number
  /** After this many events: the socket is destroyed, the body ends early, silence, or an `event: error` comes. */
  readonly cutAfter?: number
  readonly endAfter?: number
  readonly hangAfter?: number
  readonly errorAfter?: { readonly events: number; readonly type: string; readonly message: string }
}

/** Anything else: an error status with the API's body, or a socket destroyed before a byte, or silence for ever. */
export interface Failure {
  readonly status: number | "reset" | "silence"
  readonly type?: string
  readonly message?: string
  readonly errorCode?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly delayMs?: number
}
export type Answer = Speech | Failure

const run = randomBytes(4).toString("hex")
let ids = 0
/** Unique across restarts too: conversations outlive the process. */
export const freshId = (prefix: string): string => `${prefix}_${run}${(++ids).toString(36)}`

export const say = (text: string, more: Partial<Speech> = {}): Speech => ({
  content: [{ type: "text", text }],
  ...more,
})
export const useTool = (name: string, input: Json, more: Partial<Speech> = {}): Speech => ({
  content: [{ type: "tool_use", id: freshId("toolu"), name, input }],
  ...more,
})
export const fail = (
  status: number,
  type: string,
  message: string,
  more: Partial<Failure> = {},
): Failure => ({ status, type, message, ...more })

export const errorBody = (type: string, message: string, errorCode?: string): string =>
  JSON.stringify({
    type: "error",
    error: { type, message, ...(errorCode === undefined ? {} : { details: { error_code: errorCode } }) },
    request_id: "req_emulated",
  })

export const stopReasonOf = (speech: Speech): string =>
  speech.stopReason ?? (speech.content.some((block) => block.type === "tool_use") ? "tool_use" : "end_turn")

export const sse = (event: Json): string =>
  `event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`

/** The message as the non-streaming endpoint returns it, and as `message_start` opens it. */
export function messageOf(speech: Speech, model: string, usage: WireUsage): Json {
  return {
    id: freshId("msg"),
    type: "message",
    role: "assistant",
    model: speech.model ?? model,
    content: speech.content,
    stop_reason: stopReasonOf(speech),
    stop_sequence: null,
    stop_details: speech.stopDetails ?? null,
    usage: {
      ...usage,
      cache_creation: {
        ephemeral_5m_input_tokens: usage.cache_creation_input_tokens,
        ephemeral_1h_input_tokens: 0,
      },
    },
  }
}

export function eventsOf(speech: Speech, model: string, usage: WireUsage): Array<Json> {
  const message = messageOf(speech, model, { ...usage, output_tokens: 1 })
  const events: Array<Json> = [
    {
      type: "message_start",
      message: { ...message, content: [], stop_reason: null, stop_details: null },
    },
  ]
  speech.content.forEach((block, index) => {
    const { start, deltas } = blockEvents(block, speech.deltaChars ?? Infinity)
    events.push({ type: "content_block_start", index, content_block: start })
    for (const delta of deltas) events.push({ type: "content_block_delta", index, delta })
    events.push({ type: "content_block_stop", index })
  })
  events.push({
    type: "message_delta",
    delta: {
      stop_reason: message["stop_reason"],
      stop_sequence: null,
      stop_details: message["stop_details"],
    },
    usage,
  })
  events.push({ type: "message_stop" })
  return events
}

function blockEvents(
  block: WireBlock,
  chars: number,
): { readonly start: Json; readonly deltas: ReadonlyArray<Json> } {
  switch (block.type) {
    case "text":
      return {
        start: { ...block, text: "" },
        deltas: pieces(String(block["text"] ?? ""), chars).map((text) => ({ type: "text_delta", text })),
      }
    case "thinking": {
      const thinking = pieces(String(block["thinking"] ?? ""), chars)
      return {
        start: { ...block, thinking: "", signature: "" },
        deltas: [
          ...thinking.map((piece) => ({ type: "thinking_delta", thinking: piece })),
          { type: "signature_delta", signature: String(block["signature"] ?? "") },
        ],
      }
    }
    case "tool_use": {
      const { partialJson, input, ...rest } = block
      const json = typeof partialJson === "string" ? partialJson : JSON.stringify(input ?? {})
      return {
        start: { ...rest, input: {} },
        deltas: pieces(json, chars).map((piece) => ({ type: "input_json_delta", partial_json: piece })),
      }
    }
    default:
      return { start: block, deltas: [] }
  }
}

/** Cuts behind spaces where it can, so that deltas look like words; the pieces joined are the text. */
export function pieces(text: string, chars: number): ReadonlyArray<string> {
  if (text === "") return []
  if (text.length <= chars) return [text]
  const out: Array<string> = []
  for (let from = 0; from < text.length;) {
    let to = Math.min(text.length, from + chars)
    const space = text.indexOf(" ", to)
    if (space !== -1 && space < to + chars) to = space + 1
    else if (isHighSurrogate(text, to - 1)) to += 1
    out.push(text.slice(from, to))
    from = to
  }
  return out
}

const isHighSurrogate = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at)
  return code >= 0xd800 && code <= 0xdbff
}

export const isFailure = (answer: Answer): answer is Failure => "status" in answer

/** A plain list of blocks, whichever of the two forms the request used. */
export const blocksOf = (content: string | ReadonlyArray<WireBlock> | undefined): ReadonlyArray<WireBlock> =>
  content === undefined ? [] : typeof content === "string" ? [{ type: "text", text: content }] : content
