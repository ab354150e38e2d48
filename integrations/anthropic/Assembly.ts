/**
 * Puts one streamed answer together, block by block, as the API wrote it: thinking with its signature, redacted
 * thinking and kinds of blocks we do not know are kept untouched, because they are sent back with the next call (P12).
 * Two exceptions, for what the API would refuse to read again: an empty text block is left out, and a tool input that is
 * not a JSON object becomes `{ INVALID_JSON: "<what came>" }` (`invalidInput` finds it, so that the turn can say so).
 */
import type { Usage } from "../../runtime/index.ts"
import type { Block, ModelReply, StopReason } from "./Model.ts"

type Json = Readonly<Record<string, unknown>>
type Open = { type: string; [key: string]: unknown }

const stopReasons: ReadonlySet<string> = new Set<StopReason>([
  "end_turn",
  "max_tokens",
  "stop_sequence",
  "tool_use",
  "pause_turn",
  "refusal",
  "model_context_window_exceeded",
])

export class Assembly {
  private readonly blocks: Array<Open | undefined> = []
  private readonly inputs = new Map<number, string>()
  private readonly onText: (delta: string) => void
  private readonly notes: boolean
  private usage: Json = {}
  private oneHour = 0
  private model = ""
  private stop: Json = {}
  private complete = false

  /** With `notes`, thinking text is the model's word to people (`display: "updates"`) and is passed on too. */
  constructor(onText: (delta: string) => void, notes: boolean) {
    this.onText = onText
    this.notes = notes
  }

  push(event: Json): void {
    const index = typeof event["index"] === "number" ? event["index"] : 0
    switch (event["type"]) {
      case "message_start": {
        const message = asJson(event["message"])
        this.model = String(message["model"] ?? "")
        this.usage = asJson(message["usage"])
        this.oneHour = count(asJson(this.usage["cache_creation"])["ephemeral_1h_input_tokens"])
        return
      }
      case "content_block_start":
        this.blocks[index] = { type: "unknown", ...asJson(event["content_block"]) }
        this.spoken(this.blocks[index])
        return
      case "content_block_delta":
        return this.delta(index, asJson(event["delta"]))
      case "content_block_stop":
        if (this.notes && this.blocks[index]?.type === "thinking" && this.blocks[index]["thinking"] !== "")
          this.onText("\n\n")
        return
      case "message_delta":
        this.stop = { ...this.stop, ...asJson(event["delta"]) }
        for (const [key, value] of Object.entries(asJson(event["usage"])))
          if (typeof value === "number") this.usage = { ...this.usage, [key]: value }
        return
      case "message_stop":
        this.complete = true
    }
  }

  /** The whole answer, or null when the stream ended before `message_stop`. */
  reply(): ModelReply | null {
    if (!this.complete) return null
    const word = String(this.stop["stop_reason"] ?? "")
    return {
      content: this.blocks.flatMap((block, index) => this.finished(block, index)),
      stopReason: stopReasons.has(word) ? (word as StopReason) : "unknown",
      stopDetail: detail(word, this.stop),
      usage: this.billed(),
      model: this.model,
    }
  }

  private delta(index: number, delta: Json): void {
    const block = (this.blocks[index] ??= { type: "unknown" })
    for (const [key, value] of Object.entries(delta)) {
      if (key === "type" || key === "estimated_tokens") continue
      if (key === "partial_json") this.inputs.set(index, (this.inputs.get(index) ?? "") + String(value))
      else if (key === "citation")
        block["citations"] = [...(Array.isArray(block["citations"]) ? block["citations"] : []), value]
      else if (typeof value === "string" && typeof block[key] === "string") block[key] += value
      else block[key] = value
    }
    if (delta["type"] === "text_delta") this.onText(String(delta["text"]))
    else if (delta["type"] === "thinking_delta" && this.notes && delta["thinking"] !== "")
      this.onText(String(delta["thinking"]))
  }

  /** Text that came with the start of its block. */
  private spoken(block: Open): void {
    if (block.type === "text" && typeof block["text"] === "string" && block["text"] !== "")
      this.onText(block["text"])
  }

  private finished(block: Open | undefined, index: number): ReadonlyArray<Block> {
    if (block === undefined || (block.type === "text" && block["text"] === "")) return []
    const json = this.inputs.get(index)
    return [json === undefined ? block : { ...block, input: parseInput(json) }]
  }

  private billed(): Usage {
    const written = count(this.usage["cache_creation_input_tokens"])
    return {
      input: count(this.usage["input_tokens"]),
      output: count(this.usage["output_tokens"]),
      cacheRead: count(this.usage["cache_read_input_tokens"]),
      cacheWrite5m: Math.max(0, written - this.oneHour),
      cacheWrite1h: Math.min(written, this.oneHour),
    }
  }
}

const invalidKey = "INVALID_JSON"

/** What the model wrote in place of a tool input, if it was not a JSON object; the tool must not run then. */
export const invalidInput = (block: Block): string | undefined => {
  const raw = asJson(block["input"])[invalidKey]
  return block.type === "tool_use" && typeof raw === "string" ? raw : undefined
}

function parseInput(json: string): Json {
  if (json.trim() === "") return {}
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json
  } catch {
    // Kept below, as it came.
  }
  return { [invalidKey]: json }
}

function detail(word: string, stop: Json): string {
  if (word === "refusal") return String(asJson(stop["stop_details"])["category"] ?? word)
  if (word === "stop_sequence") return String(stop["stop_sequence"] ?? word)
  return word
}

const asJson = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {})
const count = (value: unknown): number =>
  typeof value === "number" && Number.isFinite(value) ? Math.round(value) : 0
