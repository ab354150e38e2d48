/**
 * Prompt caching as the API bills it: the prefix is tools, system, messages in that order; a block with a breakpoint
 * writes the prefix up to it; a request reads the longest written prefix that ends at one of its breakpoints or within
 * 20 blocks before one. Tokens are estimated as a quarter of the characters. Entries do not expire.
 */
import { createHash } from "node:crypto"
import type { Hash } from "node:crypto"
import { blocksOf } from "./Wire.ts"
import type { MessagesRequest, WireUsage } from "./Wire.ts"

const lookBack = 20

export class PromptCache {
  private readonly written = new Set<string>()

  /** What the request is billed for its input; remembers its breakpoints. */
  bill(request: MessagesRequest): Omit<WireUsage, "output_tokens"> {
    const prefix = prefixOf(request)
    let read = 0
    let write = 0
    prefix.forEach((point, at) => {
      if (!point.breakpoint) return
      write = point.tokens
      for (let back = at; back >= 0 && back > at - lookBack; back--) {
        if (!this.written.has(prefix[back]!.hash)) continue
        read = Math.max(read, prefix[back]!.tokens)
        break
      }
    })
    for (const point of prefix) if (point.breakpoint) this.written.add(point.hash)
    const total = prefix[prefix.length - 1]?.tokens ?? 0
    return {
      input_tokens: total - write,
      cache_read_input_tokens: read,
      cache_creation_input_tokens: write - read,
    }
  }
}

interface Point {
  readonly hash: string
  readonly tokens: number
  readonly breakpoint: boolean
}

function prefixOf(request: MessagesRequest): ReadonlyArray<Point> {
  const hash: Hash = createHash("sha1").update(request.model)
  let chars = 0
  const points: Array<Point> = []
  const add = (block: Readonly<Record<string, unknown>>, role: string) => {
    const { cache_control, ...content } = block
    const text = JSON.stringify(content)
    chars += text.length
    hash.update(role).update(text)
    points.push({
      hash: hash.copy().digest("base64"),
      tokens: Math.ceil(chars / 4),
      breakpoint: cache_control !== undefined && cache_control !== null,
    })
  }
  for (const tool of request.tools ?? []) add(tool, "tool")
  for (const block of blocksOf(request.system)) add(block, "system")
  for (const message of request.messages)
    for (const block of blocksOf(message.content)) add(block, message.role)
  return points
}
