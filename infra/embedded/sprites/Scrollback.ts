/** The last output of a session, in order and with its stream, for those who attach later. The oldest bytes go first. */
export interface Chunk<Stream> {
  readonly stream: Stream
  readonly bytes: Buffer
}

/** Small writes are kept together, so that a million single bytes are not a million entries. */
const smallChunk = 8 * 1024

export class Scrollback<Stream> {
  readonly #limit: number
  #chunks: Array<Chunk<Stream>> = []
  #head = 0
  #size = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  push(stream: Stream, bytes: Buffer): void {
    const last = this.#chunks.at(-1)
    if (last !== undefined && last.stream === stream && last.bytes.length + bytes.length <= smallChunk) {
      this.#chunks[this.#chunks.length - 1] = { stream, bytes: Buffer.concat([last.bytes, bytes]) }
    } else {
      this.#chunks.push({ stream, bytes })
    }
    this.#size += bytes.length
    this.#trim()
  }

  get chunks(): ReadonlyArray<Chunk<Stream>> {
    return this.#chunks.slice(this.#head)
  }

  #trim(): void {
    for (let excess = this.#size - this.#limit; excess > 0; excess = this.#size - this.#limit) {
      const first = this.#chunks[this.#head]
      if (first === undefined) return
      if (first.bytes.length > excess) {
        this.#chunks[this.#head] = { stream: first.stream, bytes: first.bytes.subarray(excess) }
        this.#size -= excess
      } else {
        this.#head++
        this.#size -= first.bytes.length
      }
    }
    if (this.#head > 256 && this.#head * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head)
      this.#head = 0
    }
  }
}
