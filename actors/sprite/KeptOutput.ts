/**
 * A command's output in bounded memory: all of it up to `head` bytes, then the last `tail` bytes at least.
 * The buffers grow as they are needed.
 */
export class KeptOutput {
  readonly #head: number
  readonly #tail: number
  #first: Buffer = Buffer.alloc(0)
  #firstLength = 0
  #last: Buffer = Buffer.alloc(0)
  #lastLength = 0
  /** Bytes seen in all. */
  total = 0

  constructor(head: number, tail: number) {
    this.#head = head
    this.#tail = tail
  }

  append(bytes: Uint8Array): void {
    this.total += bytes.length
    const room = Math.min(this.#head - this.#firstLength, bytes.length)
    if (room > 0) {
      this.#first = withRoom(this.#first, this.#firstLength, room)
      this.#first.set(bytes.subarray(0, room), this.#firstLength)
      this.#firstLength += room
    }
    let rest = bytes.subarray(Math.max(room, 0))
    if (rest.length === 0) return
    if (rest.length > this.#tail) {
      // Of a huge chunk only the end can matter, and nothing that came before it.
      rest = rest.subarray(rest.length - this.#tail)
      this.#lastLength = 0
    }
    if (this.#lastLength + rest.length > 2 * this.#tail) {
      this.#last.copyWithin(0, this.#lastLength - this.#tail, this.#lastLength)
      this.#lastLength = this.#tail
    }
    this.#last = withRoom(this.#last, this.#lastLength, rest.length)
    this.#last.set(rest, this.#lastLength)
    this.#lastLength += rest.length
  }

  /** What was kept, and how many bytes between the two are gone. */
  get parts(): { readonly first: Buffer; readonly dropped: number; readonly last: Buffer } {
    const first = this.#first.subarray(0, this.#firstLength)
    const last = this.#last.subarray(0, this.#lastLength)
    return { first, dropped: this.total - first.length - last.length, last }
  }

  /** Kept bytes in one piece, with a line where some are missing. */
  get bytes(): Buffer {
    const { first, dropped, last } = this.parts
    const gap = dropped === 0 ? "" : `\n[... ${dropped} bytes were not kept ...]\n`
    return Buffer.concat([first, Buffer.from(gap), last])
  }
}

const withRoom = (buffer: Buffer, used: number, more: number): Buffer => {
  if (used + more <= buffer.length) return buffer
  const grown = Buffer.alloc(Math.max(4096, 2 * buffer.length, used + more))
  buffer.copy(grown, 0, 0, used)
  return grown
}
