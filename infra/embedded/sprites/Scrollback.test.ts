import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Scrollback } from "./Scrollback.ts"

describe("Scrollback", () => {
  it("holds exactly the last bytes, in order, each with its stream", () => {
    const writes = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 40 })), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(writes, fc.integer({ min: 1, max: 200 }), (writes, limit) => {
        const scrollback = new Scrollback<number>(limit)
        for (const [stream, bytes] of writes) scrollback.push(stream, Buffer.from(bytes))
        const all = writes.flatMap(([stream, bytes]) => [...bytes].map((byte) => [stream, byte]))
        const kept = scrollback.chunks.flatMap(({ stream, bytes }) =>
          [...bytes].map((byte) => [stream, byte]),
        )
        expect(kept).toEqual(all.slice(-limit))
      }),
      { seed: 7 },
    )
  })

  it("stays small when a million single bytes are written", () => {
    const scrollback = new Scrollback<number>(100_000)
    for (let n = 0; n < 1_000_000; n++) scrollback.push(1, Buffer.from("x"))
    expect(scrollback.chunks.length).toBeLessThan(20)
  })
})
