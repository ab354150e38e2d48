/**
 * A first-in-first-out queue in one array with a moving head: push and take in constant time, nothing kept alive once
 * taken. A short array is used again when the lane is empty, a long one is given back.
 */
export class Lane<A> {
  #items: Array<A | undefined> = []
  #head = 0
  #tail = 0

  get size(): number {
    return this.#tail - this.#head
  }

  push(item: A): void {
    this.#items[this.#tail++] = item
  }

  /** Call only while `size > 0`. */
  take(): A {
    const item = this.#items[this.#head] as A
    this.#items[this.#head++] = undefined
    if (this.#head === this.#tail) {
      if (this.#tail > short) this.#items = []
      this.#head = this.#tail = 0
    } else if (this.#head >= long && this.#head * 2 >= this.#tail) {
      this.#items = this.#items.slice(this.#head, this.#tail)
      this.#tail -= this.#head
      this.#head = 0
    }
    return item
  }

  remove(item: A): void {
    const rest = this.#items.slice(this.#head, this.#tail).filter((other) => other !== item)
    this.#items = rest
    this.#head = 0
    this.#tail = rest.length
  }
}

const short = 16
const long = 4096
