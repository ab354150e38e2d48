/**
 * Time as GitHub has it: the offset of its clock is learned from every answer, so that a wrong clock here neither makes a
 * signature invalid nor a token too old. What is left of a token is counted on a clock that nobody sets.
 */
export class Clocks {
  private offset = 0
  private readonly wall: () => number
  readonly steady: () => number

  constructor(wall: () => number, steady: () => number) {
    this.wall = wall
    this.steady = steady
  }

  /** From the `date` header of an answer. */
  learn(date: string | undefined): void {
    const at = Date.parse(date ?? "")
    if (Number.isFinite(at)) this.offset = at - this.wall()
  }

  /** Our own clock, for what was dated by it. */
  local(): number {
    return this.wall()
  }

  now(): number {
    return this.wall() + this.offset
  }
}
