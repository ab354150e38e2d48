/**
 * Preserved thinking: every answer opens with a signed thinking block, and the signature is bound to the model, the
 * `system`, the `tools` and every message before it. A later request that sends the block back behind anything else
 * is answered 400 (P12). Cache breakpoints are not part of the prefix.
 *
 * What was bound is kept as the parsed request, and compared by walking, so a check costs no copy and no hash; once a
 * block is found bound, what lies before it is known to be untouched, so only the newest block is walked.
 */
import { randomBytes } from "node:crypto"
import { blocksOf } from "./Wire.ts"
import type { MessagesRequest, WireBlock } from "./Wire.ts"

interface Bound {
  readonly thinking: unknown
  readonly model: string
  readonly system: unknown
  readonly tools: unknown
  readonly messages: ReadonlyArray<unknown>
}

export class Binding {
  private readonly bound = new Map<string, Bound>()
  private readonly instance = randomBytes(6).toString("hex")
  private next = 0

  /**
   * The content that answers `request`, opened by a signed block unless it brings thinking of its own, whose
   * signature is then bound as it is. The opening block is empty, as at the default `display`. Empty content stays
   * empty: an answer of thinking alone could never be sent back.
   */
  bind(request: MessagesRequest, content: ReadonlyArray<WireBlock>): ReadonlyArray<WireBlock> {
    if (content.length === 0) return content
    const own = content.filter(({ type }) => type === "thinking")
    const signature = `${this.instance}_${++this.next}`
    const bound = own.length > 0 ? content : [{ type: "thinking", thinking: "", signature }, ...content]
    for (const block of own.length > 0 ? own : bound.slice(0, 1))
      this.bound.set(String(block["signature"]), {
        thinking: block["thinking"],
        model: request.model,
        system: request.system,
        tools: request.tools,
        messages: request.messages,
      })
    return bound
  }

  /** The API's complaint about the newest thinking block sent back, or null. */
  check(request: MessagesRequest): string | null {
    for (let at = request.messages.length - 1; at >= 0; at--) {
      const message = request.messages[at]!
      if (message.role !== "assistant") continue
      const blocks = blocksOf(message.content)
      const index = blocks.findIndex((block) => block.type === "thinking")
      if (index === -1) continue
      const where = `messages.${at}.content.${index}: Invalid \`signature\` in \`thinking\` block.`
      const bound = this.bound.get(String(blocks[index]?.["signature"]))
      if (bound === undefined || blocks[index]?.["thinking"] !== bound.thinking) return where
      const changed = difference(bound, request, at)
      return changed === null
        ? null
        : `${where} The block is bound to a different conversation. Remove the block, or set \`thinking.block_binding.prefix_mismatch_behavior\` to "drop_block". The ${changed} differs.`
    }
    return null
  }
}

function difference(bound: Bound, request: MessagesRequest, before: number): string | null {
  // A block made by another model is silently dropped by the API: it binds nothing.
  if (bound.model !== request.model) return null
  if (!same(bound.system, request.system)) return "`system` prompt"
  if (!same(bound.tools, request.tools)) return "`tools` array"
  if (bound.messages.length !== before) return "number of messages before it"
  for (let at = 0; at < before; at++)
    if (!same(bound.messages[at], request.messages[at])) return `message at \`messages.${at}\``
  return null
}

/** Deep equality of JSON, key order included, blind to `cache_control`. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, at) => same(item, b[at]))
  const left = Object.entries(a).filter(([key]) => key !== "cache_control")
  const right = Object.entries(b).filter(([key]) => key !== "cache_control")
  return (
    left.length === right.length &&
    left.every(([key, value], at) => right[at]?.[0] === key && same(value, right[at]?.[1]))
  )
}
